"""What `auto` chose, against every choice forced: the loss against the best is what matters.

    python -m benchmarks.auto_choice --work W1,W2 --rounds 3

Before the rounds `auto` chooses without a memory of earlier choices; its time to the first step, less
that of a run that remembers, is what the choosing cost.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

from benchmarks import machine
from benchmarks.datasets import prepare
from benchmarks.results import Measurement, Results, now, summarise
from benchmarks.running import Conditions, measure, our_cache
from benchmarks.training import finish, schedule, show
from benchmarks.workloads import PACKAGES, Contestant

FORCED = {
    "auto": ("train.precision=auto",),
    "fp32": ("train.precision=fp32", "train.memory_format=contiguous"),
    "fp32_channels_last": ("train.precision=fp32", "train.memory_format=channels_last"),
    "bf16": ("train.precision=bf16", "train.memory_format=contiguous"),
    "bf16_channels_last": ("train.precision=bf16", "train.memory_format=channels_last"),
    "compile": ("train.precision=fp32", "train.memory_format=channels_last", "train.compile=true"),
}
CONTESTANTS = {name: Contestant(overrides=overrides) for name, overrides in FORCED.items()}
SHOWN = ("us_per_step", "images_per_s", "first_step_s", "training_wall_s", "choosing_s")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.auto_choice", description=__doc__)
    parser.add_argument("--work", default=",".join(PACKAGES), help="workloads, by comma")
    parser.add_argument("--choices", default=",".join(FORCED), help="by comma")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    works, names = options.work.split(","), options.choices.split(",")
    conditions = Conditions(device=options.device)
    results = Results(
        "auto_choice",
        {key: str(value) for key, value in vars(options).items()},
        now(),
        machine.describe(),
        baseline="auto",
    )
    try:
        for work in works:
            prepare(work)
            results.measurements.append(_choose(work, conditions))
        for work, name, number in schedule(works, names, options.rounds, options.seed, CONTESTANTS):
            results.measurements.append(measure(work, name, CONTESTANTS[name], number, conditions))
            show(results.measurements[-1])
    finally:
        for work in works:
            print(verdict(results, work))
        finish(results, SHOWN, dry=options.dry)


def _choose(work: str, conditions: Conditions) -> Measurement:
    """Round 0: what measuring the choice costs before the first step, everything else being cached."""
    short = dataclasses.replace(conditions, overrides=("train.epochs=null", "train.steps=30"))
    measure(work, "auto", CONTESTANTS["auto"], 0, short)
    (our_cache() / "execution.json").unlink(missing_ok=True)
    first, second = (measure(work, "auto", CONTESTANTS["auto"], 0, short) for _ in range(2))
    if first.error or second.error:
        return first if first.error else second
    cost = first.values["first_step_s"] - second.values["first_step_s"]
    chosen = Measurement(work, "auto", 0, {"choosing_s": cost}, note=second.note)
    show(chosen)
    return chosen


def verdict(results: Results, work: str) -> str:
    """How much slower `auto` is than the fastest forced choice."""
    names = {m.contestant for m in results.measurements if m.work == work}
    medians = {
        name: found.median for name in names if (found := summarise(results, work, name, "us_per_step"))
    }
    if "auto" not in medians or len(medians) < 2:
        return f"{work}: nothing to compare"
    best = min((name for name in medians if name != "auto"), key=medians.__getitem__)
    return f"{work}: auto takes {medians['auto'] / medians[best] - 1:+.1%} against the best, {best}"


if __name__ == "__main__":
    main()
