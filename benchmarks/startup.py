"""Time of commands and imports that should be instant, beside those of other tools where installed.

python -m benchmarks.startup --rounds 20
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, processes
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

# Measured from inside, because the interpreter's own start is none of the package's doing.
IMPORT = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"
COMMANDS = {
    "trainwright --help": ("trainwright", "--help"),
    "trainwright recipes list": ("trainwright", "recipes", "list"),
    "accelerate --help": ("accelerate", "--help"),
    "yolo --help": ("yolo", "--help"),
}
PACKAGES = ("trainwright", "torch", "timm", "lightning", "fastai.vision.all", "accelerate")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    results = Results(
        "startup", {"rounds": str(options.rounds)}, now(), machine.describe(), baseline="python -c pass"
    )
    cases = _cases()
    for number in range(options.rounds + 1):
        for name, command in cases.items():
            outcome = processes.run(command, memory=False)
            if number == 0:  # compiles bytecode and fills the file cache
                continue
            values = {"wall_s": outcome.wall_s}
            if name.startswith("import "):
                values["import_s"] = float(outcome.output.split()[-1])
            error = outcome.errors[-500:] if outcome.returncode else ""
            results.measurements.append(Measurement("startup", name, number, values, error=error))
    finish(results, ("wall_s", "import_s"), dry=options.dry)


def _cases() -> dict[str, tuple[str, ...]]:
    """Name and command of everything that is installed."""
    cases: dict[str, tuple[str, ...]] = {"python -c pass": (sys.executable, "-c", "pass")}
    folder = str(Path(sys.executable).parent)
    for name, (program, *rest) in COMMANDS.items():
        found = shutil.which(program, path=folder)
        if found:
            cases[name] = (found, *rest)
    for package in PACKAGES:
        if importlib.util.find_spec(package.partition(".")[0]):
            cases[f"import {package}"] = (sys.executable, "-c", IMPORT.format(package))
    return cases


if __name__ == "__main__":
    main()
