"""What the watch on a training's health and the loss of every sample cost: W0 with and without them.

    python -m benchmarks.health --rounds 9
    python -m benchmarks.health --rounds 9 --beside ../other/src

W0 has the shortest steps of all workloads, so whatever a step costs besides shows there first. The rounds are
interleaved; the median ratio over rounds is printed with its 95 % interval (bootstrap over rounds).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.datasets import prepare
from benchmarks.results import Results, now
from benchmarks.running import Conditions, measure
from benchmarks.tracking import ratio
from benchmarks.training import finish, schedule, show
from benchmarks.workloads import Contestant

OFF = "{diverging: ignore, exploding: ignore, vanishing: ignore, dead_units: ignore, plateau: ignore}"
CONTESTANTS = {
    "off": Contestant(overrides=(f"train.health={OFF}", "train.sample_losses=false")),
    "on": Contestant(),
}
SHOWN = ("us_per_step", "train_s", "wall_s")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--beside", default="", help="`src` of another checkout, measured in the same rounds")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    contestants = dict(CONTESTANTS)
    if options.beside:
        contestants["beside"] = Contestant(environment={"PYTHONPATH": str(Path(options.beside).resolve())})
    results = Results(
        benchmark="health",
        options={key: str(value) for key, value in vars(options).items()},
        taken_at=now(),
        machine=machine.describe(),
        baseline="off",
    )
    prepare("W0")
    for work, name, number in schedule(["W0"], list(contestants), options.rounds, options.seed, contestants):
        results.measurements.append(measure(work, name, contestants[name], number, Conditions()))
        show(results.measurements[-1])
    finish(results, SHOWN, dry=options.dry)
    for value in SHOWN:
        for under in contestants:
            if under != "on":
                middle, low, high = ratio(results, value, over="on", under=under)
                print(f"{value}: on / {under} {middle:.4f}, 95 % from {low:.4f} to {high:.4f}")


if __name__ == "__main__":
    main()
