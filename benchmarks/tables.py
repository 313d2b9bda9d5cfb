"""Tables larger than memory: one shuffled pass over ten million rows, beside pyarrow's sequential parse.

python -m benchmarks.tables --rows 10000000 --rounds 3
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, processes
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

VALUES = ("pass_s", "wall_s", "shuffled_s", "fingerprint_s", "rss_mib", "anonymous_mib", "mapped_mib")
_PIECE = 500_000
# Contestant: what it does, and whether it begins without a cache.
CONTESTANTS = {
    "pyarrow": ("parse", False),
    "ours": ("pass", True),
    "ours_warm": ("pass", False),
    "ours_train": ("train", True),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", default="csv,parquet")
    parser.add_argument("--contestants", default=",".join(CONTESTANTS))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "trainwright_tables")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    shown = {"rows": str(options.rows), "rounds": str(options.rounds)}
    results = Results("tables", shown, now(), machine.describe(), baseline="pyarrow")
    for number in range(1, options.rounds + 1):
        for form in options.formats.split(","):
            path = made(options.folder, options.rows, form)
            path.read_bytes()  # into the file cache, for all alike
            for name in options.contestants.split(","):
                results.measurements.append(_measure(form, name, path, options.folder / "cache", number))
    finish(results, VALUES, dry=options.dry)


def _measure(form: str, name: str, path: Path, cache: Path, number: int) -> Measurement:
    what, cold = CONTESTANTS[name]
    if cold:
        shutil.rmtree(cache, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.table_contestant", what, str(path)]
    outcome = processes.run(command, {"TRAINWRIGHT_CACHE": str(cache)}, memory=False)
    if outcome.returncode:
        return Measurement(form, name, number, {}, error=outcome.errors[-500:])
    return Measurement(form, name, number, outcome.last_line())


def made(folder: Path, rows: int, form: str) -> Path:
    """A table of five numbers and a category that follows from them, made once.

    Args:
        folder: Where it is kept.
        rows: Number of rows.
        form: `csv` or `parquet`.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    path = folder / f"{rows}.{form}"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    colours = np.array(["blue", "green", "red", "white"])
    schema = pa.schema([*((f"x{number}", pa.float64()) for number in range(5)), ("kind", pa.string())])
    building = path.with_suffix(".building")
    make = parquet.ParquetWriter if form == "parquet" else csv.CSVWriter
    with make(str(building), schema) as writer:
        for start in range(0, rows, _PIECE):
            generator = np.random.default_rng(start)
            numbers = generator.normal(size=(min(_PIECE, rows - start), 5)).round(6)
            weighed = numbers @ [1.0, -1.0, 0.5, 0.2, 0.0] + 0.3 * generator.normal(size=len(numbers))
            columns = [pa.array(column) for column in numbers.T.copy()]
            columns.append(pa.array(colours[np.digitize(weighed, [-1.0, 0.0, 1.0])].tolist()))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    building.rename(path)
    return path


if __name__ == "__main__":
    main()
