"""Full learning curves of small networks on MNIST, from which early stopping is replayed.

DATA=/path/to/data python -m benchmarks.tune_curves

For every seed the same number of random points of one space is trained to its end, on a tenth of MNIST at
14 x 14 pixels with one thread; the seed is that of the draws and of the trainings.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER
from trainwright import registry
from trainwright.recipe.loading import load
from trainwright.recipe.space import Point, space_of
from trainwright.workflows.objectives import objective_values
from trainwright.workflows.training import train

CURVES = FOLDER / "tune_curves.csv"
COLUMNS = ("seed", "trial", "parameters", "epoch", "accuracy", "loss")
OBJECTIVES = {"val/accuracy": "maximize", "model/parameters": "minimize"}


def recipe(root: str) -> dict[str, Any]:
    """What is searched, on MNIST in the folder `root`."""
    image = {"type": "image", "size": [14, 14]}
    data = {
        "source": {"name": "idx", "root": f"{root}/mnist"},
        "inputs": {"image": image},
        "targets": {"label": {"type": "category"}},
        "split": {"train": 0.1, "val": 0.05},
    }
    space = {
        "model.widths": {"choices": [[2], [4], [8], [4, 8], [8, 16], [16, 32]]},
        "model.head": {"choices": [0, 16, 32, 64]},
        "train.optimizer.lr": {"low": 1e-4, "high": 1e-1, "log": True},
        "train.batch_size": {"low": 32, "high": 256, "log": True},
    }
    return {
        "name": "curves",
        "data": data,
        "model": {"name": "cnn", "batch_norm": True},
        "train": {"epochs": 9, "threads": 1, "precision": "fp32", "memory_format": "contiguous"},
        "report": {"enabled": False, "splits": ["val"]},
        "tune": {"space": space, "objectives": OBJECTIVES, "search": "random"},
    }


def trained(root: str, seed: int, trials: int) -> Iterator[dict[str, float]]:
    """Rows of the table for one seed."""
    base = load(recipe(root))
    directions = base.recipe.tune.objectives if base.recipe.tune else {}
    search = registry.build("search", "random", space=space_of(base.recipe), directions=directions, seed=seed)
    with tempfile.TemporaryDirectory() as runs:
        for number in range(trials):
            yield from _curve(root, seed, number, search.ask(number, []), Path(runs))


def _curve(root: str, seed: int, number: int, point: Point, runs: Path) -> Iterator[dict[str, float]]:
    from trainwright.runs.directory import RunDirectory

    result = train(recipe(root), {**point, "train.seed": seed}, runs_dir=runs)
    run = RunDirectory(result.path)
    (parameters,) = objective_values(run, ["model/parameters"])
    series = run.metrics()
    for epoch, ((_, accuracy), (_, loss)) in enumerate(
        zip(series["val/accuracy"], series["val/loss"], strict=True), start=1
    ):
        known = {"seed": seed, "trial": number, "parameters": int(parameters), "epoch": epoch}
        yield {**known, "accuracy": round(accuracy, 6), "loss": round(loss, 6)}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_curves", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("-o", "--output", type=Path, default=CURVES)
    options = parser.parse_args(arguments)
    with options.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for seed in options.seeds:
            for row in trained(os.environ.get("DATA", "."), seed, options.trials):
                writer.writerow(row)
                file.flush()


if __name__ == "__main__":
    main()
