"""Which precision, memory format and compilation is fastest here, measured once and remembered."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainwright import registry
from trainwright.data.batch import Batch
from trainwright.engine.generators import seed_generators
from trainwright.engine.runtime import Execution, Runtime
from trainwright.recipe.schema import Recipe
from trainwright.runs.atomic import StorageError, write_json
from trainwright.tasks.base import Task

# A choice must be this much faster than the plain one, or noise would decide.
MARGIN = 0.95
# Each of the probe's first losses, which its first updates have shaped, may differ by this share from fp32.
DRIFT = 0.05
WATCHED_STEPS = 3
SECONDS = 2.2
ROUNDS = 5
# Compiling is tried when it would gain at least twice what it costs, were it a quarter faster.
COMPILE_SECONDS = 60.0
COMPILE_GAIN = 0.25


@dataclass
class Choice:
    """What was chosen, and the seconds per step that each candidate took.

    Attributes:
        execution: The choice.
        step_seconds: Candidate -> median seconds per step; empty when there was nothing to choose.
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
    may_compile = recipe.train.compile == "auto"
    if len(candidates) == 1 and not may_compile:
        return Choice(candidates[0], {})
    key = _key(recipe, model, batch, base)
    measured = _recall(memory, key, candidates)
    remembered = measured is not None
    if measured is None:
        measured = _measure([_Probe(recipe, task, model, batch, candidate) for candidate in candidates])
    best = _fastest(candidates, measured)
    if may_compile and _worth_compiling(measured.seconds[_name(best)], remaining_steps):
        compiled = best.with_choice(compile=True)
        if _name(compiled) not in {*measured.seconds, *measured.refused}:
            _measure_compiled(recipe, task, model, batch, compiled, measured)
            remembered = False
        best = _fastest([best, compiled], measured)
    if not remembered:
        _remember(memory, key, measured)
    return Choice(best, measured.seconds, remembered)


@dataclass
class _Measured:
    """What is known of candidates by name.

    Attributes:
        seconds: Median seconds per step.
        refused: Those that cannot be taken however fast they are.
    """

    seconds: dict[str, float]
    refused: list[str]


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


def _name(execution: Execution) -> str:
    parts = [execution.precision, "channels_last" if execution.channels_last else "contiguous"]
    return " ".join([*parts, "compiled"] if execution.compile else parts)


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
        self.optimizers = [
            registry.build(
                "optimizer", phase.optimizer or recipe.train.optimizer, params=list(phase.parameters)
            )
            for phase in self.phases
        ]
        self.losses: list[float] = []
        self.calls = 0

    def step(self) -> float:
        """One step; seconds it took, the device waited for."""
        _wait(self.runtime.device)
        begin = time.perf_counter()
        for number, (phase, optimizer) in enumerate(zip(self.phases, self.optimizers, strict=True)):
            seed_generators(0, self.calls, number)
            with self.runtime.autocast():
                output = self.task.training_step(self.forward, self.batch, phase)
            loss = output.loss.mean()
            loss.backward()
            if self.calls < WATCHED_STEPS:
                self.losses.append(float(loss.detach()))
            optimizer.step()
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


def _measure(probes: list[_Probe]) -> _Measured:
    """Times the candidates, interleaved so that noise hits them alike; the first one is the plain one."""
    for probe in probes:
        for _ in range(WATCHED_STEPS):
            probe.step()
    deadline = time.perf_counter() + SECONDS
    taken: dict[str, list[float]] = {_name(probe.execution): [] for probe in probes}
    rounds = 0
    while rounds < 2 or (time.perf_counter() < deadline and rounds < ROUNDS * 20):
        for probe in probes:
            taken[_name(probe.execution)].append(probe.step())
        rounds += 1
    seconds = {name: statistics.median(values) for name, values in taken.items()}
    drifted = [_name(probe.execution) for probe in probes[1:] if not near(probe.losses, probes[0].losses)]
    return _Measured(seconds, drifted)


def near(losses: list[float], plain: list[float]) -> bool:
    """Whether every loss is close enough to the one in fp32; never where one is NaN."""
    return all(
        abs(loss - reference) <= DRIFT * max(abs(reference), 1e-3)
        for loss, reference in zip(losses, plain, strict=True)
    )


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
        measured.seconds.update(_measure([_Probe(recipe, task, model, batch, compiled)]).seconds)
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


def _recall(memory: Path, key: str, candidates: list[Execution]) -> _Measured | None:
    """What an earlier run measured, None where it did not, or not all of it."""
    try:
        found = json.loads(memory.read_text())[key]
        measured = _Measured({n: float(s) for n, s in found["seconds"].items()}, list(found["refused"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return measured if all(_name(candidate) in measured.seconds for candidate in candidates) else None


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
