"""What early stopping saves, replayed over stored full curves: MNIST, accuracy against parameters.

python -m benchmarks.tune_stopping
DATA=/path/to/data python -m benchmarks.tune_stopping --live 5

`benchmarks/results/tune_curves.csv` (by `benchmarks.tune_curves`) holds every epoch of every trial of ten
seeds. The trials are replayed in their order, one at a time: each epoch is reported to the stopper, which
knows nothing of what comes after. Told are the epochs that were not trained, and the hypervolume of the
finished trials' front beside that of all trials. The stopper's defaults were chosen on seeds 0 to 4.

`--live SEED` runs `trainwright tune` on the same points, two at a time, with the stopper in it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish
from benchmarks.tune_curves import CURVES, OBJECTIVES, recipe
from trainwright.tune.curve import Curve, Report, best_cost
from trainwright.tune.stop.base import Stopper
from trainwright.tune.stop.front import Front
from trainwright.workflows.studies import open_study

ACCURACY, PARAMETERS = OBJECTIVES


def read_curves(path: Path = CURVES) -> dict[int, list[Curve]]:
    """Seed -> the curves of its trials in their order."""
    reports: dict[int, dict[int, list[Report]]] = defaultdict(lambda: defaultdict(list))
    with path.open() as file:
        for row in csv.DictReader(file):
            values = {ACCURACY: float(row["accuracy"]), PARAMETERS: float(row["parameters"])}
            report = Report(int(row["epoch"]), int(row["epoch"]), values)
            reports[int(row["seed"])][int(row["trial"])].append(report)
    return {seed: [tuple(trials[number]) for number in sorted(trials)] for seed, trials in reports.items()}


def replay(curves: Sequence[Curve], stopper: Stopper) -> dict[int, Curve]:
    """What is trained of each trial where every epoch but the last is judged."""
    seen: dict[int, Curve] = {}
    done: set[int] = set()
    for number, curve in enumerate(curves):
        for length in range(1, len(curve) + 1):
            seen[number] = curve[:length]
            if length == len(curve):
                done.add(number)
            elif stopper.judge(number, seen, done) is not None:
                break
    return seen


def hypervolume(curves: Mapping[int, Curve], epochs: int) -> float:
    """Area between the front of the finished trials and (accuracy 0.8, a million parameters).

    Of the parameters the decimal logarithm counts.
    """
    points = []
    for curve in curves.values():
        if len(curve) == epochs:
            accuracy = -(best_cost(curve, ACCURACY, "maximize") or 0.0)
            points.append((np.log10(curve[-1].values[PARAMETERS]), accuracy))
    area, right = 0.0, 6.0
    for at, accuracy in sorted(points, key=lambda point: -point[1]):
        if at < right and accuracy > 0.8:
            area, right = area + (right - at) * (accuracy - 0.8), at
    return area


def saved(curves: Sequence[Curve], seen: Mapping[int, Curve]) -> dict[str, float]:
    """Share of epochs that were not trained, and of the hypervolume that was lost, in percent.

    Args:
        curves: Of all trials to their end.
        seen: Trial -> what was trained of it.
    """
    epochs = len(curves[0])
    trained = sum(len(curve) for curve in seen.values())
    full = hypervolume(dict(enumerate(curves)), epochs)
    return {
        "saved_percent": 100 * (1 - trained / (epochs * len(curves))),
        "lost_percent": 100 * (1 - hypervolume(seen, epochs) / full),
    }


def live(seed: int, trials: int) -> dict[int, Curve]:
    """What a search trains of the points of a seed, by the command."""
    made = recipe(os.environ.get("DATA", "."))
    made["train"]["seed"] = made["tune"]["seed"] = seed
    made["tune"] |= {"trials": trials, "stop": ["front"]}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "recipe.yaml"
        path.write_text(json.dumps(made))
        words = ["tune", str(path), "--jobs", "2", "--runs-dir", f"{place}/runs"]
        subprocess.run([sys.executable, "-m", "trainwright.cli", *words], check=True)
        with open_study("curves", runs_dir=f"{place}/runs") as opened:
            return {number: tuple(curve) for number, curve in opened.store.curves().items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_stopping", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    parser.add_argument("--live", metavar="SEED", type=int, help="a search in place of the replays")
    options = parser.parse_args(arguments)
    settings = {} if options.live is None else {"live": str(options.live)}
    results = Results("tune_stopping", settings, now(), machine.describe(), baseline="none")
    known = read_curves()
    for seed, curves in (
        sorted(known.items()) if options.live is None else [(options.live, known[options.live])]
    ):
        seen = replay(curves, Front(OBJECTIVES)) if options.live is None else live(seed, len(curves))
        values = saved(curves, seen)
        work = "MNIST" if options.live is None else "MNIST, live"
        results.measurements.append(Measurement(work, "front", seed, values))
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.2f}" for name, value in values.items()))
    finish(results, ("saved_percent", "lost_percent"), dry=options.dry)


if __name__ == "__main__":
    main()
