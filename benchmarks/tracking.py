"""What tracking costs: a log call on the training thread, and W1 with sinks beside W1 without.

    python -m benchmarks.tracking --calls 20000
    python -m benchmarks.tracking --rounds 9

The first times single calls of `Spool.log` with ten scalars, while its thread writes. The second trains W1
with the index, TensorBoard and MLflow on against none, in interleaved rounds, and prints the median ratio
with its 95 % interval (bootstrap over rounds).
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.datasets import prepare
from benchmarks.results import Measurement, Results, now
from benchmarks.running import Conditions, measure
from benchmarks.training import finish, schedule, show
from benchmarks.workloads import Contestant
from trainwright.runs.spool import Spool

CONTESTANTS = {
    "plain": Contestant(overrides=("--index", "none")),
    "index": Contestant(),
    "sinks": Contestant(overrides=("train.sinks=[tensorboard, mlflow]",)),  # and the index, as ever
}
SHOWN = ("us_per_step", "train_s", "wall_s")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracking", description=__doc__)
    parser.add_argument("--calls", type=int, default=0, help="log calls to time, in place of trainings")
    parser.add_argument("--contestants", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--set", action="append", default=[], help="override of the recipe, KEY=VALUE")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    results = Results(
        benchmark="tracking",
        options={key: str(value) for key, value in vars(options).items()},
        taken_at=now(),
        machine=machine.describe(),
        baseline="plain",
    )
    if options.calls:
        results.measurements.extend(
            Measurement("call", "plain", n, log_calls(options.calls)) for n in (1, 2, 3)
        )
        finish(results, ("median_us", "p99_us", "largest_us"), dry=options.dry)
        return
    prepare("W1")
    conditions = Conditions(overrides=tuple(options.set))
    for work, name, number in schedule(
        ["W1"], options.contestants, options.rounds, options.seed, CONTESTANTS
    ):
        results.measurements.append(measure(work, name, CONTESTANTS[name], number, conditions))
        show(results.measurements[-1])
    finish(results, SHOWN, dry=options.dry)
    for value in SHOWN:
        for name in set(options.contestants) - {"plain"}:
            middle, low, high = ratio(results, value, over=name)
            print(f"{value}: {name} / plain {middle:.4f}, 95 % from {low:.4f} to {high:.4f}")


def log_calls(count: int) -> dict[str, float]:
    """Microseconds of single calls with ten scalars, one in every fifty microseconds."""
    values = {f"train/metric_{i}": i / 7 for i in range(10)}
    took = []
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder) / "metrics.jsonl") as spool:
        for step in range(count):
            begun = time.perf_counter_ns()
            spool.log(step, 0, values)
            took.append((time.perf_counter_ns() - begun) / 1000)
            while time.perf_counter_ns() - begun < 50_000:
                pass  # the step that a call belongs to; without it the queue would only grow
    took.sort()
    return {
        "median_us": statistics.median(took),
        "p99_us": took[int(0.99 * len(took))],
        "largest_us": took[-1],
    }


def ratio(
    results: Results, value: str, draws: int = 10_000, *, over: str = "sinks", under: str = "plain"
) -> tuple[float, float, float]:
    """Median over rounds of one contestant by another, and its 95 % interval by bootstrap over rounds."""
    by_round: dict[int, dict[str, float]] = {}
    for item in results.measurements:
        if value in item.values:
            by_round.setdefault(item.round, {})[item.contestant] = item.values[value]
    found = [pair[over] / pair[under] for pair in by_round.values() if {over, under} <= set(pair)]
    if not found:
        return float("nan"), float("nan"), float("nan")
    drawn = random.Random(0)
    medians = sorted(statistics.median(drawn.choices(found, k=len(found))) for _ in range(draws))
    return statistics.median(found), medians[int(0.025 * draws)], medians[int(0.975 * draws)]


if __name__ == "__main__":
    main()
