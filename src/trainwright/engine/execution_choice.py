"""Which precision, memory format and compilation is fastest here, measured once and remembered."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainwright.data.batch import Batch, tensors_of
from trainwright.engine.probe import Probe, affordable, part
from trainwright.engine.runtime import Execution
from trainwright.recipe.schema import Recipe
from trainwright.runs.atomic import StorageError, write_json
from trainwright.tasks.base import Task

# A choice must be this much faster than the plain one, or noise would decide.
MARGIN = 0.95
# The loss before any update may differ by this share from that in fp32.
DRIFT = 0.05
# Updates amplify the smallest rounding, of another memory format too, so that later losses of a sound
# candidate may differ widely; one that is this much worse does not learn as fp32 does.
WORSE = 1.5
SECONDS = 1.5
# A step of the probe is cut to about this long, for a large model would take minutes otherwise.
STEP_SECONDS = 0.15
ROUNDS = 100
# A candidate this much slower than the best is dropped.
HOPELESS = 1.5
# Below this time a step, starting threads may cost more than they bring.
SHORT_STEP = 0.02
# Compiling is tried when it would gain at least twice what it costs, were it a quarter faster.
COMPILE_SECONDS = 60.0
COMPILE_GAIN = 0.25


@dataclass
class Choice:
    """What was chosen, and the seconds per step that each candidate took.

    Attributes:
        execution: The choice.
        step_seconds: Candidate -> shortest seconds of a step; empty when there was nothing to choose.
        remembered: Whether it was measured by an earlier run.
        samples: Samples of a measured step, the whole micro-batch or a part of it.
    """

    execution: Execution
    step_seconds: dict[str, float]
    remembered: bool = False
    samples: int = 0


def choose_execution(
    recipe: Recipe,
    task: Task,
    model: nn.Module,
    batch: Batch,
    base: Execution,
    remaining_steps: int | None,
    memory: Path,
) -> Choice:
    """Measures what the recipe leaves open, on copies of the model.

    Args:
        recipe: `train.precision`, `memory_format` and `compile` say what is open.
        task: The task.
        model: Freshly built, on the CPU; it is not changed.
        batch: A whole micro-batch of training data.
        base: Device, threads and what else is settled.
        remaining_steps: Steps of the run, None when unknown.
        memory: File in which choices are remembered.

    Returns:
        The fastest candidate whose loss stays near that of fp32.
    """
    candidates = _candidates(recipe, model, batch, base)
    threads_open = recipe.train.threads is None and base.device == "cpu" and base.threads > 1
    if remaining_steps == 0:
        return Choice(candidates[0], {})  # nothing is trained, so that no step is worth measuring
    if len(candidates) == 1 and recipe.train.compile != "auto" and not threads_open:
        return Choice(candidates[0], {})
    key = _key(recipe, model, batch, base)
    measured = _recall(memory, key)
    remembered = measured is not None
    if measured is None:
        tried = affordable(recipe, task, model, batch, candidates[0], STEP_SECONDS)
        measured = _Measured(base.threads, len(tried))
        _choose_threads(recipe, task, model, tried, candidates[0], measured)
    candidates = [candidate.with_choice(threads=measured.threads) for candidate in candidates]
    tried = part(batch, measured.samples)
    if not measured.knows(candidates):
        probes = [Probe(recipe, task, model, tried, candidate) for candidate in candidates]
        _measure(probes, SECONDS, measured)
        remembered = False
    best = _fastest(candidates, measured)
    if recipe.train.compile == "auto" and _worth_compiling(
        measured.seconds[_name(best)] * len(batch) / len(tried), remaining_steps
    ):
        compiled = best.with_choice(compile=True)
        if not measured.knows([compiled]):
            _measure_compiled(recipe, task, model, tried, compiled, measured)
            remembered = False
        best = _fastest([best, compiled], measured)
    if not remembered:
        _remember(memory, key, measured)
    return Choice(best, measured.seconds, remembered, measured.samples)


def plain_execution(recipe: Recipe, model: nn.Module, batch: Batch, base: Execution) -> Execution:
    """What a training takes where nothing is measured: as the recipe says, fp32 where it leaves that open.

    Args:
        recipe: The recipe.
        model: Freshly built.
        batch: Of training data.
        base: Device, threads and what else is settled.
    """
    return _candidates(recipe, model, batch, base)[0]


@dataclass
class _Measured:
    """What is known of candidates by name.

    Attributes:
        threads: Compute threads that were settled on.
        samples: Samples of a measured step.
        seconds: Shortest seconds of a step.
        refused: Those that cannot be taken however fast they are.
    """

    threads: int
    samples: int
    seconds: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def knows(self, candidates: list[Execution]) -> bool:
        """Whether all of them have been measured, or refused."""
        return {_name(candidate) for candidate in candidates} <= {*self.seconds, *self.refused}


def _candidates(recipe: Recipe, model: nn.Module, batch: Batch, base: Execution) -> list[Execution]:
    """The plain execution first, then what may beat it."""
    train = recipe.train
    images = any(t.dim() == 4 for t in tensors_of(batch.inputs).values())
    convolves = images and any(isinstance(m, nn.Conv2d) for m in model.modules())
    formats = {
        "contiguous": [False],
        "channels_last": [True],
        # The first one needs no margin to win: channels-last is what convolutions mostly run best in.
        "auto": [True, False] if convolves else [False],
    }
    precisions = ["fp32", "bf16"] if train.precision == "auto" else [train.precision]
    if train.precision == "auto" and base.device == "mps":
        precisions = ["fp32"]
    compiled = train.compile is True
    return [
        base.with_choice(precision=precision, channels_last=last, compile=compiled)
        for precision in precisions
        for last in formats[train.memory_format]
        # Low precision without channels-last has never been the fastest for convolutions.
        if not (
            precision == "bf16"
            and train.precision == "auto"
            and convolves
            and not last
            and True in formats[train.memory_format]
        )
    ]


def _choose_threads(
    recipe: Recipe, task: Task, model: nn.Module, batch: Batch, plain: Execution, measured: _Measured
) -> None:
    """Settles on one compute thread where a step is so short that it is faster alone."""
    if recipe.train.threads is not None or plain.device != "cpu" or plain.threads == 1:
        return
    probe = Probe(recipe, task, model, batch, plain)
    probe.step()
    if min(probe.step() for _ in range(3)) > SHORT_STEP:
        return
    alone = plain.with_choice(threads=1)
    _measure([probe, Probe(recipe, task, model, batch, alone)], SECONDS / 3, measured)
    measured.threads = _fastest([plain, alone], measured).threads


def _name(execution: Execution) -> str:
    parts = [execution.precision, "channels_last" if execution.channels_last else "contiguous"]
    parts += ["compiled"] if execution.compile else []
    return " ".join([*parts, f"{execution.threads} threads" if execution.threads > 1 else "1 thread"])


def _measure(probes: list[Probe], seconds: float, measured: _Measured) -> None:
    """Shortest seconds per step, which other work on the machine disturbs least; candidates interleaved.

    A candidate that is clearly slower than the best so far is measured no further, so that a large
    model costs little more than one step of each. The first one is the plain one, which the losses of
    the others are compared with.
    """
    deadline = time.perf_counter() + seconds
    taken: dict[Execution, list[float]] = {}
    for probe in probes:
        probe.step()
        taken[probe.execution] = [probe.step()]
    running = probes
    for _ in range(ROUNDS):
        best = min(min(times) for times in taken.values())
        running = [p for p in running if min(taken[p.execution]) <= best * HOPELESS]
        if len(running) < 2 or time.perf_counter() + best * len(running) > deadline:
            break
        for probe in running:
            taken[probe.execution].append(probe.step())
    measured.seconds.update({_name(execution): min(times) for execution, times in taken.items()})
    drifted = [probe for probe in probes[1:] if not near(probe.losses, probes[0].losses)]
    measured.refused += [_name(probe.execution) for probe in drifted]


def near(losses: list[float], plain: list[float]) -> bool:
    """Whether the losses of the first steps are sound beside those in fp32; never where one is NaN."""
    if abs(losses[0] - plain[0]) > DRIFT * max(abs(plain[0]), 1e-3):
        return False
    ceiling = WORSE * max(1e-3, *map(abs, plain))
    return all(math.isfinite(loss) and loss <= ceiling for loss in losses)


def _fastest(candidates: list[Execution], measured: _Measured) -> Execution:
    """The first one, unless another is faster by more than noise and not refused."""
    best, limit = candidates[0], measured.seconds[_name(candidates[0])] * MARGIN
    for candidate in candidates[1:]:
        name = _name(candidate)
        if name not in measured.refused and measured.seconds[name] < limit:
            best, limit = candidate, measured.seconds[name]
    return best


def _worth_compiling(seconds: float, remaining_steps: int | None) -> bool:
    return seconds * (remaining_steps or 0) * COMPILE_GAIN >= COMPILE_SECONDS


def _measure_compiled(
    recipe: Recipe, task: Task, model: nn.Module, batch: Batch, compiled: Execution, measured: _Measured
) -> None:
    """Adds the compiled form to what is known; one that does not compile here is refused."""
    try:
        _measure([Probe(recipe, task, model, batch, compiled)], SECONDS, measured)
    except RuntimeError:  # no C++ compiler, or code that cannot be traced: then it runs as it is
        measured.refused.append(_name(compiled))


def _key(recipe: Recipe, model: nn.Module, batch: Batch, base: Execution) -> str:
    """Digest of everything that the choice may depend on."""
    shapes = [(name, list(p.shape)) for name, p in model.named_parameters()]
    device = torch.cuda.get_device_name() if base.device.startswith("cuda") else _processor()
    asked = [recipe.train.precision, recipe.train.memory_format, recipe.train.compile, recipe.train.optimizer]
    parts: list[Any] = [
        type(model).__name__,
        shapes,
        [type(m).__name__ for m in model.modules()],
        {name: list(t.shape) for name, t in tensors_of(batch.inputs).items()},
        asked,
        base.to_json(),
        device,
        torch.__version__,
    ]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:24]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "cpu")
    return f"{name} x{os.cpu_count()}"


def _recall(memory: Path, key: str) -> _Measured | None:
    """What an earlier run measured, None where none did."""
    try:
        found = json.loads(memory.read_text())[key]
        seconds = {str(name): float(value) for name, value in found["seconds"].items()}
        return _Measured(int(found["threads"]), int(found["samples"]), seconds, list(found["refused"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _remember(memory: Path, key: str, measured: _Measured) -> None:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        known = {}
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_json(memory, {**(known if isinstance(known, dict) else {}), key: asdict(measured)})
    except (OSError, StorageError):
        return  # a cache that cannot be written only costs the next run two seconds
