"""Trains the same model on the same data with Trainwright, bare PyTorch loops and other tools.

    python -m benchmarks.training --work W0,W1 --rounds 3 --contestants ours,bare,lightning,fastai

Every contestant is a process of its own. The rounds are interleaved, in an order that a fixed seed
shuffles, and ratios are formed within a round.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, processes
from benchmarks.datasets import cache_folder, prepare
from benchmarks.results import Measurement, Results, now, store, table
from benchmarks.workloads import CONTESTANTS, DEFAULT, PACKAGES, Contestant
from benchmarks.workloads.settings import PRECISION

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
RECIPES = Path(__file__).resolve().parent / "recipes"


@dataclass(frozen=True)
class Conditions:
    """What is the same for all contestants of a session.

    Attributes:
        precision: `fp32`, `bf16` or `auto`, which bare scripts take for `fp32`.
        cold: Whether Trainwright starts without its caches.
        overrides: Further overrides of our recipes.
    """

    precision: str = "fp32"
    cold: bool = False
    overrides: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    options = _parse(arguments)
    works, names = options.work.split(","), options.contestants.split(",")
    conditions = Conditions(options.precision, options.cold, tuple(options.set))
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
            _show(measure(work, name, 0, conditions))
    for work, name, number in schedule(works, names, options.rounds, options.seed):
        results.measurements.append(measure(work, name, number, conditions))
        _show(results.measurements[-1])
    print("\n" + table(results, SHOWN))
    if not options.dry:
        print(f"\nstored in {store(results)}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--work", default=",".join(PACKAGES), help="workloads, by comma")
    parser.add_argument("--contestants", default=",".join(DEFAULT), help=f"of {', '.join(CONTESTANTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--precision", choices=["fp32", "bf16", "auto"], default="fp32")
    parser.add_argument("--baseline", default="bare", help="the contestant that ratios refer to")
    parser.add_argument("--cold", action="store_true", help="remove our caches before each run")
    parser.add_argument("--set", action="append", default=[], help="override of our recipes, KEY=VALUE")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    return parser.parse_args(arguments)


def schedule(
    works: Sequence[str], names: Sequence[str], rounds: int, seed: int
) -> Iterator[tuple[str, str, int]]:
    """Work, contestant and round of every measurement, the contestants shuffled within each round."""
    shuffled = random.Random(seed)
    for work in works:
        for number in range(1, rounds + 1):
            present = [name for name in names if work in CONTESTANTS[name].works]
            shuffled.shuffle(present)
            yield from ((work, name, number) for name in present)


def measure(work: str, name: str, number: int, conditions: Conditions) -> Measurement:
    """One run of one contestant."""
    contestant = CONTESTANTS[name]
    scratch = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        run = _run_script if contestant.script else _run_ours
        values, note = run(work, contestant, scratch, conditions)
        return Measurement(work, name, number, values, note)
    except (ValueError, KeyError, OSError) as error:
        return Measurement(work, name, number, {}, error=str(error)[-1000:])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run_script(
    work: str, contestant: Contestant, scratch: Path, conditions: Conditions
) -> tuple[dict[str, float], str]:
    module = f"benchmarks.workloads.{PACKAGES[work]}.{contestant.script}"
    variables = {"BENCHMARK_DATA": str(cache_folder()), "BENCHMARK_SCRATCH": str(scratch)}
    variables |= {PRECISION: conditions.precision} | contestant.environment
    outcome = processes.run([sys.executable, "-m", module], variables)
    if outcome.returncode:
        raise ValueError(f"exit status {outcome.returncode}: {outcome.errors[-800:]}")
    line = outcome.last_line()
    note = line.pop("note")
    whole = {
        "wall_s": outcome.wall_s,
        "training_wall_s": outcome.wall_s,
        "peak_pss_mib": outcome.peak_pss_mib,
    }
    return {key: float(value) for key, value in line.items()} | whole, note


def _run_ours(
    work: str, contestant: Contestant, scratch: Path, conditions: Conditions
) -> tuple[dict[str, float], str]:
    """The ordinary command; its numbers are read from the run directory."""
    cache = scratch / "cache" if conditions.cold else cache_folder() / "trainwright"
    variables = {"BENCHMARK_DATA": str(cache_folder()), "TRAINWRIGHT_CACHE": str(cache)}
    command = [
        str(Path(sys.executable).parent / "trainwright"),
        "train",
        str(RECIPES / f"{work.lower()}.yaml"),
    ]
    command += [f"train.precision={conditions.precision}", *conditions.overrides, *contestant.overrides]
    outcome = processes.run(command, variables, folder=scratch)
    if outcome.returncode:
        raise ValueError(f"exit status {outcome.returncode}: {outcome.errors[-800:]}")
    (run,) = (path.parent for path in scratch.glob("runs/*/run.json"))
    found: dict[str, Any] = json.loads((run / "throughput.json").read_text())
    values = {key: float(found[key]) for key in ("images_per_s", "train_s", "evaluate_s", "report_s")}
    return values | {
        "us_per_step": float(found["steady_us_per_step"]),
        "first_step_s": found["first_step_at"] - outcome.started,
        "final_metric": _last_metric(run, "val/accuracy"),
        "wall_s": outcome.wall_s,
        "training_wall_s": outcome.wall_s - found["evaluate_s"] - found["report_s"],
        "peak_pss_mib": outcome.peak_pss_mib,
    }, str(found.get("note", ""))


def _last_metric(run: Path, key: str) -> float:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    found = [record["values"][key] for record in map(json.loads, lines) if key in record["values"]]
    return float(found[-1])


def _show(measured: Measurement) -> None:
    shown = {key: round(value, 4 if value < 10 else 1) for key, value in measured.values.items()}
    print(
        f"{measured.work} round {measured.round} {measured.contestant}: {measured.error or shown}", flush=True
    )


if __name__ == "__main__":
    main()
