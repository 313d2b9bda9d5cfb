"""A copy of a model that is trained on one batch, to see how fast an execution is."""

from __future__ import annotations

import copy
import time

import torch
from torch import nn

from trainwright import registry
from trainwright.data.batch import Batch, laid_out, over
from trainwright.engine.generators import seed_generators
from trainwright.engine.optimizers.lean import lean_step, spare_compiler_import
from trainwright.engine.runtime import Execution, Runtime
from trainwright.recipe.schema import Recipe
from trainwright.tasks.base import Task

# Losses of the first steps are kept, to be compared with those of another execution.
WATCHED_STEPS = 3
# What a step on a few samples is first tried with.
FEW = 4


class Probe:
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
        self.losses: list[float] = []
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
            if self.calls < WATCHED_STEPS:
                self.losses.append(float(loss.detach()))
            lean_step(optimizer)()
            optimizer.zero_grad(set_to_none=True)
        self.calls += 1
        _wait(self.runtime.device)
        return time.perf_counter() - begin


def _placed(batch: Batch, runtime: Runtime) -> Batch:
    def place(tensor: torch.Tensor) -> torch.Tensor:
        moved = tensor.to(runtime.device)
        if moved.dim() == 4:
            return laid_out(moved, channels_last=runtime.execution.channels_last)
        return moved

    return Batch(
        {name: over(value, place) for name, value in batch.inputs.items()},
        {name: over(value, lambda t: t.to(runtime.device)) for name, value in batch.targets.items()},
        batch.ids,
        weights=None if batch.weights is None else batch.weights.to(runtime.device),
    )


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def part(batch: Batch, count: int) -> Batch:
    """The first samples of a batch."""
    return Batch(
        {name: over(value, lambda t: t[:count]) for name, value in batch.inputs.items()},
        {name: over(value, lambda t: t[:count]) for name, value in batch.targets.items()},
        batch.ids[:count],
        batch.epoch,
        None if batch.weights is None else batch.weights[:count],
    )


def affordable(
    recipe: Recipe, task: Task, model: nn.Module, batch: Batch, execution: Execution, seconds: float
) -> Batch:
    """As much of a batch as one step takes about `seconds` for, estimated on a few samples."""
    if len(batch) <= FEW:
        return batch
    probe = Probe(recipe, task, model, part(batch, FEW), execution)
    probe.step()
    each = probe.step() / FEW
    return part(batch, max(FEW, min(len(batch), int(seconds / each))))
