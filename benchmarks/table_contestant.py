"""One contestant of `benchmarks.tables`, in a process of its own: prints its times and memory as JSON.

python -m benchmarks.table_contestant parse|pass|train FILE
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

NUMBERS = [f"x{number}" for number in range(5)]
BATCH = 4096
_KINDS = ("VmRSS", "RssAnon", "RssFile")


def main() -> None:
    """The command."""
    what, path = sys.argv[1:]
    values = {"parse": parse, "pass": shuffled_pass, "train": train}[what](Path(path))
    print("\n" + json.dumps(values), flush=True)


def parse(path: Path) -> dict[str, float]:
    """pyarrow's sequential parse, block by block, nothing kept."""
    from pyarrow import csv
    from pyarrow.parquet import ParquetFile

    memory = Memory()
    begin = time.perf_counter()
    if path.suffix == ".parquet":
        rows = sum(batch.num_rows for batch in ParquetFile(path).iter_batches(use_threads=False))
    else:
        rows = sum(batch.num_rows for batch in csv.open_csv(path, csv.ReadOptions(use_threads=False)))
    return {"pass_s": time.perf_counter() - begin, "rows": rows, **memory.peaks()}


def shuffled_pass(path: Path) -> dict[str, float]:
    """Parse, split, fit and encode, then every training row once in shuffled batches."""
    import numpy as np
    import torch

    from trainwright import recipe as recipes
    from trainwright.data.loader import Loader, Pipeline
    from trainwright.data.prepare import prepare
    from trainwright.data.samplers.shuffle import Shuffle
    from trainwright.data.sources.table import TableSource  # noqa: F401 - belongs to the imports
    from trainwright.data.stream_store import store_of
    from trainwright.locations import cache_dir

    recipe = recipes.load(_recipe(path)).recipe
    memory = Memory()
    begin = time.perf_counter()
    data = prepare(recipe.data, cache_dir=cache_dir())
    prepared = time.perf_counter()
    pipeline = Pipeline(data.inputs, data.targets)
    store = store_of(data, torch.device("cpu"))
    loader = Loader(store, pipeline, data.splits["train"], BATCH, Shuffle(), 0)
    seen = np.zeros(len(data.names), dtype=bool)
    for batches in loader.batches(0):
        seen[batches[0].ids] = True
    end = time.perf_counter()
    assert seen.sum() == len(data.splits["train"]), "not every row was seen"
    fingerprint = data.seconds["fingerprint"]
    return {
        "pass_s": end - begin - fingerprint,
        "shuffled_s": end - prepared,
        "rows": int(seen.sum()),
        **{f"{stage}_s": seconds for stage, seconds in data.seconds.items()},
        **memory.peaks(),
    }


def train(path: Path) -> dict[str, float]:
    """`trainwright train` for one epoch: the data, the model, the evaluation and the report."""
    from trainwright.data.sources.table import TableSource  # noqa: F401 - belongs to the imports
    from trainwright.workflows.session import Session  # noqa: F401
    from trainwright.workflows.training import train as run

    with tempfile.TemporaryDirectory() as folder:
        memory = Memory()
        begin = time.perf_counter()
        result = run(_recipe(path), runs_dir=folder)
        seconds = time.perf_counter() - begin
        timings = json.loads((result.path / "timings.json").read_text())
    laps = {f"{stage}_s": float(value) for stage, value in timings.items()}
    return {"wall_s": seconds, "accuracy": result.metrics["val"]["accuracy"], **laps, **memory.peaks()}


def _recipe(path: Path) -> dict[str, Any]:
    return {
        "name": "table",
        "data": {
            "source": {"name": "table", "path": str(path)},
            "inputs": {"numbers": {"type": "number", "columns": NUMBERS}},
            "targets": {"kind": {"type": "category"}},
            "split": {"val": 0.02},
        },
        "model": {"name": "mlp", "hidden": [32]},
        "train": {"epochs": 1, "batch_size": BATCH, "precision": "fp32"},
    }


class Memory:
    """Largest resident memory since this was made, in MiB above what it was then, looked at every 10 ms."""

    def __init__(self) -> None:
        self._base = _resident()
        self._peak = dict(self._base)
        threading.Thread(target=self._watch, daemon=True).start()

    def peaks(self) -> dict[str, float]:
        """Peaks by kind: all, anonymous, and pages of files, which the system takes back at any time."""
        names = {"VmRSS": "rss_mib", "RssAnon": "anonymous_mib", "RssFile": "mapped_mib"}
        return {names[kind]: self._peak[kind] - self._base[kind] for kind in _KINDS}

    def _watch(self) -> None:
        while True:
            for kind, value in _resident().items():
                self._peak[kind] = max(self._peak[kind], value)
            time.sleep(0.01)


def _resident() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith(_KINDS)}
    return {kind: int(found[kind]) / 1024 for kind in _KINDS}


if __name__ == "__main__":
    os.environ.setdefault("TRAINWRIGHT_CACHE", tempfile.mkdtemp())
    main()
