"""One run of one contestant, and the numbers that come from it."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.datasets import cache_folder
from benchmarks.results import Measurement
from benchmarks.workloads import PACKAGES, Contestant
from benchmarks.workloads.settings import DEVICE, PRECISION

RECIPES = Path(__file__).resolve().parent / "recipes"


@dataclass(frozen=True)
class Conditions:
    """What is the same for all contestants of a session.

    Attributes:
        precision: `fp32`, `bf16` or `auto`, which scripts other than ours take for `fp32`.
        cold: Whether Trainwright starts without its caches.
        device: `cpu` or `cuda`.
        overrides: Further overrides of our recipes.
    """

    precision: str = "fp32"
    cold: bool = False
    device: str = "cpu"
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class OurRun:
    """A finished run of the ordinary command.

    Attributes:
        values: The numbers for a measurement.
        metrics: Metrics per evaluated split, from `evaluation/SPLIT/metrics.json`.
        execution: What was trained with: precision, memory format, threads.
    """

    values: dict[str, float]
    metrics: dict[str, dict[str, float]]
    execution: str


def measure(work: str, name: str, contestant: Contestant, number: int, conditions: Conditions) -> Measurement:
    """One run of one contestant in one workload."""
    scratch = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        if contestant.script:
            values, note = run_script(
                f"{PACKAGES[work]}.{contestant.script}", contestant, scratch, conditions
            )
        else:
            overrides = (
                f"train.precision={conditions.precision}",
                *conditions.overrides,
                *contestant.overrides,
            )
            ours = run_ours(
                str(RECIPES / f"{work.lower()}.yaml"), overrides, scratch, conditions, contestant.environment
            )
            values, note = ours.values | {"final_metric": ours.metrics["val"]["accuracy"]}, ours.execution
        return Measurement(work, name, number, values, note)
    except (ValueError, KeyError, OSError) as error:
        return Measurement(work, name, number, {}, error=f"{type(error).__name__}: {error}"[-1000:])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run_script(
    module: str,
    contestant: Contestant,
    scratch: Path,
    conditions: Conditions,
    arguments: tuple[str, ...] = (),
) -> tuple[dict[str, float], str]:
    """The values that a script printed, with those seen from outside, and its note.

    Raises:
        ValueError: It failed, or printed no values.
    """
    variables = {"BENCHMARK_DATA": str(cache_folder()), "BENCHMARK_SCRATCH": str(scratch)}
    variables |= {PRECISION: conditions.precision, DEVICE: conditions.device} | contestant.environment
    command = [sys.executable, "-m", f"benchmarks.workloads.{module}", *arguments]
    outcome = processes.run(command, variables)
    if outcome.returncode:
        raise ValueError(f"exit status {outcome.returncode}: {outcome.errors[-800:]}")
    line = outcome.last_line()
    note = line.pop("note", "")
    seen = {"wall_s": outcome.wall_s, "training_wall_s": outcome.wall_s, "peak_pss_mib": outcome.peak_pss_mib}
    return {key: float(value) for key, value in line.items()} | seen, note


def our_cache() -> Path:
    """Our decoded data and remembered choices, kept between runs that are not cold."""
    return cache_folder() / "trainwright"


def run_ours(
    recipe: str,
    overrides: tuple[str, ...],
    scratch: Path,
    conditions: Conditions,
    environment: Mapping[str, str] | None = None,
) -> OurRun:
    """The ordinary command in an empty folder; the numbers are read from its run directory.

    Raises:
        ValueError: It failed, or left another number of runs than one.
    """
    cache = scratch / "cache" if conditions.cold else our_cache()
    variables = {"BENCHMARK_DATA": str(cache_folder()), "TRAINWRIGHT_CACHE": str(cache)} | dict(
        environment or {}
    )
    command = [str(Path(sys.executable).parent / "trainwright"), "train", recipe, *overrides]
    outcome = processes.run([*command, f"train.device={conditions.device}"], variables, folder=scratch)
    if outcome.returncode:
        raise ValueError(f"exit status {outcome.returncode}: {outcome.errors[-800:]}")
    (run,) = (path.parent for path in scratch.glob("runs/*/run.json"))
    speed, seconds = _read(run / "throughput.json"), _read(run / "timings.json")
    values = {
        "images_per_s": float(speed["images_per_s"]),
        "us_per_step": float(speed["steady_us_per_step"]),
        "first_step_s": float(speed["first_step_at"]) - outcome.started,
        "train_s": float(seconds["train"]),
        "evaluate_s": float(seconds["evaluate"]),
        "report_s": float(seconds["report"]),
        "wall_s": outcome.wall_s,
        "training_wall_s": outcome.wall_s - seconds["evaluate"] - seconds["report"],
        "peak_pss_mib": outcome.peak_pss_mib,
    }
    metrics = {path.parent.name: _read(path) for path in run.glob("evaluation/*/metrics.json")}
    return OurRun(values, metrics, json.dumps(_read(run / "run.json").get("pinned", {})))


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
