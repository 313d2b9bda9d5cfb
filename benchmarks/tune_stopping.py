"""What early stopping saves, replayed over stored full curves: MNIST, accuracy against parameters.

python -m benchmarks.tune_stopping

`benchmarks/results/tune_curves.csv` (by `benchmarks.tune_curves`) holds every epoch of every trial of five
seeds. The trials are replayed in their order, one at a time: each epoch is reported to the stopper, which
knows nothing of what comes after. Told are the epochs that were not trained, and the hypervolume of the
finished trials' front beside that of all trials.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish
from benchmarks.tune_curves import CURVES, OBJECTIVES
from trainwright.tune.curve import Curve, Report, best_cost
from trainwright.tune.stop.base import Stopper
from trainwright.tune.stop.front import Front

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


def saved(curves: Sequence[Curve], stopper: Stopper) -> dict[str, float]:
    """Share of epochs that were not trained, and of the hypervolume that was lost, in percent."""
    seen = replay(curves, stopper)
    epochs = len(curves[0])
    trained = sum(len(curve) for curve in seen.values())
    full = hypervolume(dict(enumerate(curves)), epochs)
    return {
        "saved_percent": 100 * (1 - trained / (epochs * len(curves))),
        "lost_percent": 100 * (1 - hypervolume(seen, epochs) / full),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_stopping", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    results = Results("tune_stopping", {}, now(), machine.describe(), baseline="none")
    for seed, curves in sorted(read_curves().items()):
        values = saved(curves, Front(OBJECTIVES))
        results.measurements.append(Measurement("MNIST", "front", seed, values))
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.2f}" for name, value in values.items()))
    finish(results, ("saved_percent", "lost_percent"), dry=options.dry)


if __name__ == "__main__":
    main()
