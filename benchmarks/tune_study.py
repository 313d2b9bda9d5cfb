"""A real search: accuracy against latency on CIFAR-10 in 20 minutes, and whether what it says is true.

DATA=/path/to/data python -m benchmarks.tune_study --time 20min --jobs 2

Runs `trainwright tune cifar10_front`. Then every model of the Pareto front is timed and scored again: its
latency has to lie within the interval that the search gave it, its accuracy has to be the same. The recipe of
the most accurate one is exported and trained anew in another folder under the same pinned execution: its
weights have to be the same bits.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish
from trainwright.runs.directory import RunDirectory
from trainwright.tune.trial import Trial, TrialState
from trainwright.workflows.evaluating import evaluate
from trainwright.workflows.latency import known_latency, measure_latency
from trainwright.workflows.studies import OpenStudy, open_study

RECIPE = "cifar10_front"
WEIGHTS = ("best", "last")


def run(*words: str) -> None:
    """One command of ours in a process of its own."""
    subprocess.run([sys.executable, "-m", "trainwright.cli", *words], check=True)


def measured_again(trial: Trial) -> dict[str, float]:
    """Latency and accuracy of a trial's model as the search has them and as they are found now."""
    path = RunDirectory(str(trial.run))
    known = known_latency(path)
    assert known is not None and trial.values is not None
    again, (low, high) = measure_latency(path), known.interval
    accuracy = evaluate(str(trial.run), split="val")["accuracy"]
    return {
        "accuracy": trial.values[0],
        "accuracy_again": accuracy,
        "latency_ms": known.quick,
        "low_ms": low,
        "high_ms": high,
        "latency_again_ms": again.quick,
        "within": float(low <= again.quick <= high and accuracy == trial.values[0]),
    }


def same_bits(opened: OpenStudy, trial: Trial, folder: Path) -> bool:
    """Whether the exported recipe, trained anew elsewhere, gives the trial's weights."""
    recipe = folder / "best.yaml"
    runs = str(folder / "again")
    run("tune", "export", opened.place, "--trial", str(trial.number), "-o", str(recipe))
    run("train", str(recipe), "--runs-dir", runs, "--quiet")
    (again,) = [path for path in Path(runs).iterdir() if (path / "run.json").exists()]
    return digests(again) == digests(Path(str(trial.run)))


def digests(run_path: Path) -> list[str]:
    """Of a run's weights."""
    files = [run_path / "weights" / f"{name}.safetensors" for name in WEIGHTS]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def study_values(opened: OpenStudy, front: Sequence[Trial], bits: bool) -> dict[str, Any]:
    """What the whole study came to."""
    trials = opened.store.trials()
    return {
        "trials": float(len(trials)),
        "done": float(sum(trial.state is TrialState.DONE for trial in trials)),
        "stopped": float(sum(trial.state is TrialState.STOPPED for trial in trials)),
        "front": float(len(front)),
        "same_bits": float(bits),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_study", description=__doc__)
    parser.add_argument("--time", default="20min")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", help="folder of a search that ran already; it is not run then")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {"time": options.time, "jobs": str(options.jobs)}
    results = Results("tune_study", settings, now(), machine.describe(), baseline="none")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runs = options.runs or str(folder / "runs")
        if options.runs is None:
            run("tune", RECIPE, "--time", options.time, "--jobs", str(options.jobs), "--runs-dir", runs)
        with open_study(RECIPE, runs_dir=runs) as opened:
            front = sorted(opened.best(), key=lambda trial: trial.values or ())
            for trial in front:
                values = measured_again(trial)
                results.measurements.append(Measurement(f"trial {trial.number}", "ours", 1, values))
            bits = same_bits(opened, front[-1], folder)
            values = study_values(opened, front, bits)
            results.measurements.append(Measurement("study", "ours", 1, values))
    names = (
        "front",
        "same_bits",
        "accuracy",
        "latency_ms",
        "low_ms",
        "high_ms",
        "latency_again_ms",
        "within",
    )
    finish(results, names, dry=options.dry)


if __name__ == "__main__":
    main()
