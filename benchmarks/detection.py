"""Our detectors beside those of torchvision on the same backbone.

    python -m benchmarks.detection --rounds 3
    python -m benchmarks.detection --accuracy --cpu-seconds 900

The first measures training steps (pictures a second, peak memory) on one batch of noise, each contestant in a
process of its own, the rounds interleaved. The second trains the recipes `bccd_fcos` and `bccd_retinanet`
and, for as many seconds of CPU, torchvision's FCOS and RetinaNet with the same backbone, all on one thread,
and scores the test pictures. The learning rate of torchvision's is the best of three on the validation
pictures, each tried for a sixth of the time; ours is that of the recipes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, processes
from benchmarks.datasets import shared_data
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish, schedule, show
from benchmarks.workloads import Contestant
from benchmarks.workloads.detection import MAKERS

KINDS = ("fcos", "retinanet")
SHOWN = (
    "images_per_s",
    "us_per_step",
    "cpu_us_per_step",
    "peak_pss_mib",
    "map50",
    "map",
    "cpu_s",
    "epochs",
    "steps",
)
STEP = "benchmarks.workloads.detection.step"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    options = _parse(arguments)
    results = Results(
        "detection",
        {key: str(value) for key, value in vars(options).items()},
        now(),
        machine.describe(),
        "ours" if options.accuracy else "torchvision",
    )
    kinds = options.kinds.split(",")
    try:
        if options.accuracy:
            for kind in kinds:
                for measured in _accuracy(kind, options.cpu_seconds):
                    results.measurements.append(measured)
                    show(measured)
        else:
            table = {name: Contestant(name, works=KINDS) for name in MAKERS}
            names = options.contestants.split(",")
            for kind, name, number in schedule(kinds, names, options.rounds, options.seed, table):
                results.measurements.append(_step(kind, name, number, options))
                show(results.measurements[-1])
    finally:  # what was measured before an interruption is kept
        finish(results, SHOWN, dry=options.dry)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS), help="detectors, by comma")
    parser.add_argument("--contestants", default=",".join(MAKERS), help="by comma")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="of each process, three more to warm up")
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--channels", type=int, default=64, help="of every level of the pyramid")
    parser.add_argument("--threads", type=int, default=0, help="0 leaves torch's choice")
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--accuracy", action="store_true", help="train on BCCD")
    parser.add_argument("--cpu-seconds", type=float, default=900, help="of each training")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    return parser.parse_args(arguments)


def _step(kind: str, name: str, number: int, options: argparse.Namespace) -> Measurement:
    keys = ("steps", "height", "width", "batch", "channels", "threads")
    sizes = [part for key in keys for part in (f"--{key}", str(getattr(options, key)))]
    outcome = processes.run([sys.executable, "-m", STEP, name, kind, *sizes])
    if outcome.returncode:
        return Measurement(kind, name, number, {}, error=outcome.errors[-800:])
    values = {key: float(value) for key, value in outcome.last_line().items()}
    return Measurement(kind, name, number, values | {"peak_pss_mib": outcome.peak_pss_mib})


def _accuracy(kind: str, seconds: float) -> list[Measurement]:
    import torch

    from benchmarks.workloads.detection import blood_cells

    torch.set_num_threads(1)
    os.environ.setdefault("DATA", str(shared_data()))
    values, used = _ours(kind, seconds)
    found = [Measurement(kind, "ours", 1, values)]
    root = shared_data() / "bccd"
    train, val, test = (blood_cells.pictures(root, split) for split in ("train", "val", "test"))
    tried = {}
    for rate in blood_cells.RATES:
        network, _ = blood_cells.trained(kind, train, rate, used / 6)
        tried[rate] = blood_cells.scored(network, val)["map50"]
    rate = max(tried, key=lambda one: tried[one])
    network, steps = blood_cells.trained(kind, train, rate, used)
    scores = blood_cells.scored(network, test)
    values = {"map50": scores["map50"], "map": scores["map"], "cpu_s": used, "steps": float(steps)}
    note = "; ".join(f"lr {one:g}: map50 of val {score:.3f}" for one, score in tried.items())
    return [*found, Measurement(kind, "torchvision", 1, values, note)]


def _ours(kind: str, seconds: float) -> tuple[dict[str, float], float]:
    """Scores of the recipe, trained for as many epochs as the seconds hold, and the CPU seconds used."""
    import trainwright

    def train(epochs: int, folder: str) -> tuple[trainwright.Run, float]:
        """The run of so many epochs, and its seconds of CPU, scoring on the validation split included."""
        settings = {
            "train.epochs": epochs,
            "train.threads": 1,
            "data.workers": 0,
            "report.enabled": False,
            "train.checkpoint": None,
        }
        began = time.process_time()
        run = trainwright.train(f"bccd_{kind}", settings, runs_dir=Path(folder), progress=False)
        return run, time.process_time() - began

    with tempfile.TemporaryDirectory() as folder:
        # The first builds the cache and chooses the execution; the others tell the cost of an epoch.
        train(1, f"{folder}/first")
        _, one = train(1, f"{folder}/one")
        _, two = train(2, f"{folder}/two")
        epoch = max(two - one, 1e-3)
        epochs = max(1, round((seconds - (one - epoch)) / epoch))
        run, used = train(epochs, f"{folder}/all")
        scores = run.evaluate("test")
    kept = {"map50": scores["map50"], "map": scores["map"], "cpu_s": used, "epochs": float(epochs)}
    return kept, used


if __name__ == "__main__":
    main()
