"""Which precision, memory format and compilation is fastest here, measured once and remembered."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainwright import registry
from trainwright.data.batch import Batch
from trainwright.engine.generators import seed_generators
from trainwright.engine.optimizers.lean import lean_step, spare_compiler_import
from trainwright.engine.runtime import Execution, Runtime
from trainwright.recipe.schema import Recipe
from trainwright.runs.atomic import write_json
from trainwright.tasks.base import Task

# A choice must be this much faster than the plain one, or noise would decide.
MARGIN = 0.95
# The loss after the probe's steps may differ by this share from the one in fp32.
DRIFT = 0.05
SECONDS = 1.5
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
    """

    execution: Execution
    step_seconds: dict[str, float]
    remembered: bool = False


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
    if len(candidates) == 1 and recipe.train.compile != "auto" and not threads_open:
        return Choice(candidates[0], {})
    key = _key(recipe, model, batch, base)
    known = _recall(memory, key)
    if known is not None:
        return Choice(base.with_choice(**known["choice"]), known["step_seconds"], remembered=True)
    timings: dict[Execution, float] = {}
    candidates = _with_threads(recipe, task, model, batch, candidates, timings)
    probes = [_Probe(recipe, task, model, batch, candidate) for candidate in candidates]
    timings.update(_measure(probes, SECONDS))
    best = _best(probes, timings)
    if recipe.train.compile == "auto":
        best = _try_compile(recipe, task, model, batch, best, timings, remaining_steps)
    seconds = {_name(execution): value for execution, value in timings.items()}
    chosen = {
        "precision": best.precision,
        "channels_last": best.channels_last,
        "compile": best.compile,
        "threads": best.threads,
    }
    _remember(memory, key, {"choice": chosen, "step_seconds": seconds})
    return Choice(best, seconds)


def _candidates(recipe: Recipe, model: nn.Module, batch: Batch, base: Execution) -> list[Execution]:
    """The plain execution first, then what may beat it."""
    train = recipe.train
    images = any(t.dim() == 4 for t in batch.inputs.values())
    convolves = images and any(isinstance(m, nn.Conv2d) for m in model.modules())
    formats = {
        "contiguous": [False],
        "channels_last": [True],
        "auto": [False, True] if convolves else [False],
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


def _with_threads(
    recipe: Recipe,
    task: Task,
    model: nn.Module,
    batch: Batch,
    candidates: list[Execution],
    timings: dict[Execution, float],
) -> list[Execution]:
    """The candidates with one compute thread, where a step is so short that it is faster alone."""
    plain = candidates[0]
    if recipe.train.threads is not None or plain.device != "cpu" or plain.threads == 1:
        return candidates
    probe = _Probe(recipe, task, model, batch, plain)
    probe.step()
    if min(probe.step() for _ in range(3)) > SHORT_STEP:
        return candidates
    alone = plain.with_choice(threads=1)
    timings.update(_measure([probe, _Probe(recipe, task, model, batch, alone)], SECONDS / 3))
    if timings[alone] < timings[plain] * MARGIN:
        return [candidate.with_choice(threads=1) for candidate in candidates]
    return candidates


def _name(execution: Execution) -> str:
    parts = [execution.precision, "channels_last" if execution.channels_last else "contiguous"]
    parts += ["compiled"] if execution.compile else []
    return " ".join([*parts, f"{execution.threads} threads" if execution.threads > 1 else "1 thread"])


class _Probe:
    """A copy of the model that is trained on one batch to measure a candidate."""

    def __init__(
        self, recipe: Recipe, task: Task, model: nn.Module, batch: Batch, execution: Execution
    ) -> None:
        self.execution = execution
        self.runtime, self.task = Runtime(execution), task
        self.model = self.runtime.place(copy.deepcopy(model)).train()
        self.forward = self.runtime.callable(self.model)
        self.batch = _placed(batch, self.runtime)
        self.phases = task.phases(self.model)
        spare_compiler_import()
        self.optimizers = [
            registry.build(
                "optimizer", phase.optimizer or recipe.train.optimizer, params=list(phase.parameters)
            )
            for phase in self.phases
        ]
        self.first_loss = math.nan
        self.calls = 0

    def step(self) -> float:
        """One step; seconds it took, the device waited for."""
        if torch.get_num_threads() != self.execution.threads:
            torch.set_num_threads(self.execution.threads)
        _wait(self.runtime.device)
        begin = time.perf_counter()
        for number, (phase, optimizer) in enumerate(zip(self.phases, self.optimizers, strict=True)):
            seed_generators(0, self.calls, number)
            with self.runtime.autocast():
                output = self.task.training_step(self.forward, self.batch, phase)
            loss = output.loss.mean()
            loss.backward()
            if self.calls == 0 and number == 0:
                self.first_loss = float(loss.detach())
            lean_step(optimizer)()
            optimizer.zero_grad(set_to_none=True)
        self.calls += 1
        _wait(self.runtime.device)
        return time.perf_counter() - begin


def _placed(batch: Batch, runtime: Runtime) -> Batch:
    def place(tensor: torch.Tensor) -> torch.Tensor:
        moved = tensor.to(runtime.device)
        if moved.dim() == 4:
            last = runtime.execution.channels_last
            return moved.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        return moved

    return Batch(
        {name: place(t) for name, t in batch.inputs.items()},
        {name: t.to(runtime.device) for name, t in batch.targets.items()},
        batch.ids,
    )


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _measure(probes: list[_Probe], seconds: float) -> dict[Execution, float]:
    """Shortest seconds per step, which other work on the machine disturbs least; candidates interleaved.

    A candidate that is clearly slower than the best so far is measured no further, so that a large
    model costs little more than one step of each.
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
    return {execution: min(times) for execution, times in taken.items()}


def _best(probes: list[_Probe], timings: dict[Execution, float]) -> Execution:
    plain = probes[0]
    best, limit = plain.execution, timings[plain.execution] * MARGIN
    for probe in probes[1:]:
        near = abs(probe.first_loss - plain.first_loss) <= DRIFT * max(abs(plain.first_loss), 1e-3)
        if near and timings[probe.execution] < limit:
            best, limit = probe.execution, timings[probe.execution]
    return best


def _try_compile(
    recipe: Recipe,
    task: Task,
    model: nn.Module,
    batch: Batch,
    best: Execution,
    timings: dict[Execution, float],
    remaining_steps: int | None,
) -> Execution:
    """The compiled form of the best candidate, when the run is long enough and it proves faster."""
    predicted = timings[best] * (remaining_steps or 0)
    if predicted * COMPILE_GAIN < COMPILE_SECONDS:
        return best
    compiled = best.with_choice(compile=True)
    probe = _Probe(recipe, task, model, batch, compiled)
    timings.update(_measure([probe], SECONDS))
    return compiled if timings[compiled] < timings[best] * MARGIN else best


def _key(recipe: Recipe, model: nn.Module, batch: Batch, base: Execution) -> str:
    """Digest of everything that the choice may depend on."""
    shapes = [(name, list(p.shape)) for name, p in model.named_parameters()]
    device = torch.cuda.get_device_name() if base.device.startswith("cuda") else _processor()
    asked = [recipe.train.precision, recipe.train.memory_format, recipe.train.compile, recipe.train.optimizer]
    parts: list[Any] = [
        type(model).__name__,
        shapes,
        [type(m).__name__ for m in model.modules()],
        {name: list(t.shape) for name, t in batch.inputs.items()},
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


def _recall(memory: Path, key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] | None = json.loads(memory.read_text()).get(key)
        return found
    except (OSError, ValueError, AttributeError):
        return None


def _remember(memory: Path, key: str, value: dict[str, Any]) -> None:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        known = {}
    memory.parent.mkdir(parents=True, exist_ok=True)
    write_json(memory, {**known, key: value})
