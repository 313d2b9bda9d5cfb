"""Trains the same model on the same data with Trainwright, bare PyTorch loops and other tools.

    python -m benchmarks.training --work W0,W1 --rounds 3 --contestants ours,bare,lightning,fastai

Every contestant is a process of its own. The rounds are interleaved, in an order that a fixed seed
shuffles, and ratios are formed within a round.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence

from benchmarks import machine
from benchmarks.datasets import prepare
from benchmarks.results import Measurement, Results, now, store, table
from benchmarks.running import Conditions, measure
from benchmarks.workloads import CONTESTANTS, DEFAULT, PACKAGES, Contestant

SHOWN = (
    "us_per_step",
    "images_per_s",
    "first_step_s",
    "train_s",
    "training_wall_s",
    "wall_s",
    "peak_pss_mib",
    "final_metric",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    options = _parse(arguments)
    works, names = options.work.split(","), options.contestants.split(",")
    conditions = Conditions(options.precision, options.cold, options.device, tuple(options.set))
    for work in works:
        prepare(work)
    results = Results(
        benchmark="training",
        options={key: str(value) for key, value in vars(options).items()},
        taken_at=now(),
        machine=machine.describe(),
        baseline=options.baseline,
    )
    if not conditions.cold:
        for work, name in ((work, name) for work in works for name in names if name.startswith("ours")):
            show(measure(work, name, CONTESTANTS[name], 0, conditions))
    try:
        for work, name, number in schedule(works, names, options.rounds, options.seed):
            results.measurements.append(measure(work, name, CONTESTANTS[name], number, conditions))
            show(results.measurements[-1])
    finally:  # what was measured before an interruption is kept
        finish(results, SHOWN, dry=options.dry)


def finish(results: Results, values: Sequence[str], *, dry: bool) -> None:
    """Prints the table and stores the results."""
    print("\n" + table(results, values))
    if not dry:
        print(f"\nstored in {store(results)}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--work", default=",".join(PACKAGES), help="workloads, by comma")
    parser.add_argument("--contestants", default=",".join(DEFAULT), help=f"of {', '.join(CONTESTANTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--precision", choices=["fp32", "bf16", "auto"], default="fp32")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda for ours and the bare loops")
    parser.add_argument("--baseline", default="bare", help="the contestant that ratios refer to")
    parser.add_argument("--cold", action="store_true", help="remove our caches before each run")
    parser.add_argument("--set", action="append", default=[], help="override of our recipes, KEY=VALUE")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    return parser.parse_args(arguments)


def schedule(
    works: Sequence[str],
    names: Sequence[str],
    rounds: int,
    seed: int,
    contestants: Mapping[str, Contestant] = CONTESTANTS,
) -> Iterator[tuple[str, str, int]]:
    """Work, contestant and round of every measurement, the contestants shuffled within each round."""
    shuffled = random.Random(seed)
    for work in works:
        for number in range(1, rounds + 1):
            present = [name for name in names if work in contestants[name].works]
            shuffled.shuffle(present)
            yield from ((work, name, number) for name in present)


def show(measured: Measurement) -> None:
    """Prints one measurement on one line."""
    shown = {key: round(value, 4 if value < 10 else 1) for key, value in measured.values.items()}
    print(
        f"{measured.work} round {measured.round} {measured.contestant}: {measured.error or shown}", flush=True
    )


if __name__ == "__main__":
    main()
