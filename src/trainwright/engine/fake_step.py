"""A step of a model that has no memory: shapes are known before a weight is made.

Model and batch are on PyTorch's meta device, where every operator works out the shape of its result and
nothing else.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trainwright.data.batch import Batch, over, tensors_of
from trainwright.data.types import PreparedData
from trainwright.engine.build import build_task, first_batch
from trainwright.engine.kept_for_backward import counting_kept, trained_bytes
from trainwright.engine.layer_trail import guarded, layer_trail, words_of
from trainwright.engine.runtime import Execution
from trainwright.errors import ModelError, TrainwrightError
from trainwright.models.inspect import build_on_meta, needs_values
from trainwright.recipe.schema import Recipe
from trainwright.tasks.base import Task

SAMPLES = 2
# Bytes of weights from which a model is tried; a smaller one is sooner tried in earnest, for the first
# operator on the meta device costs a second of imports.
WORTH_IT = 1 << 30
# Bytes of one sample's inputs from which a step in earnest, of two samples, takes longer than those imports.
LARGE_SAMPLE = 2 << 20


@dataclass(frozen=True)
class FakeStep:
    """What a step without memory found.

    Attributes:
        unknown: Why nothing can be said without values; empty where the step went through.
        weight_bytes: Of all parameters and buffers; 0 where the model cannot be built without memory.
        trained_bytes: Of the parameters.
        kept: Bytes that a forward pass keeps of one sample for the backward pass; 0 where not known.
    """

    unknown: str = ""
    weight_bytes: int = 0
    trained_bytes: int = 0
    kept: float = 0.0

    def told(self) -> list[str]:
        """What people should know of it."""
        return [f"shapes were seen on real memory only: {self.unknown}"] if self.unknown else []


def check_shapes(recipe: Recipe, data: PreparedData, execution: Execution) -> FakeStep:
    """A step of the recipe's model without memory, on the shapes of two training samples.

    Raises:
        ModelError: A layer does not fit, of a model of many weights.
    """
    batch = first_batch(recipe, data, execution, training=True, at_most=SAMPLES)
    without = recipe.model_copy(update={"model": without_weights(recipe.model)})
    try:
        task = build_task(without)
    except TrainwrightError as error:
        return FakeStep(unknown=error.what)  # told when the task is built in earnest
    return fake_step(task, lambda: task.build(data.info()), batch)


def without_weights(spec: Any) -> Any:
    """A component without pretrained weights at any depth: they would be read for nothing."""
    if isinstance(spec, dict):
        kept = {key: without_weights(value) for key, value in spec.items()}
        return {**kept, "pretrained": False} if kept.get("pretrained") is True else kept
    return [without_weights(item) for item in spec] if isinstance(spec, list) else spec


def fake_step(
    task: Task, build: Callable[[], nn.Module], batch: Batch, *, at_least: int = WORTH_IT
) -> FakeStep:
    """Builds a model and takes a step with it, on the meta device.

    Args:
        task: The task.
        build: Makes the model.
        batch: Real samples, of which only the shapes are used.
        at_least: Bytes of weights under which the step is left to the trial in earnest, unless samples are
            large.

    Raises:
        ModelError: A layer does not fit.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that weights loaded into no memory go nowhere
        try:
            model = build_on_meta(build)
        except (Exception, SystemExit) as error:
            # Told, if it is one, when the model is built in earnest.
            return FakeStep(unknown=words_of(error))
        tensors = (*model.parameters(), *model.buffers())
        if any(is_lazy(tensor) for tensor in tensors):
            return FakeStep(unknown="some layers take their sizes from the first batch")
        size, trained = trained_bytes(model)
        inputs = sum(tensor.nbytes for tensor in tensors_of(batch.inputs).values())
        if size < at_least and inputs < LARGE_SAMPLE * len(batch):
            return FakeStep(weight_bytes=size, trained_bytes=trained)
        try:
            kept = _step(task, model, _on_meta(batch))
        except TrainwrightError as error:
            if isinstance(error, ModelError) and not needs_values(error):
                raise
            return FakeStep(error.why or error.what, size, trained)
    return FakeStep("", size, trained, kept)


def _step(task: Task, model: nn.Module, batch: Batch) -> float:
    """Forward and backward of every phase; the most bytes that one keeps of a sample."""
    most = 0.0
    with layer_trail(model) as trail, torch.device("meta"):
        for phase in task.phases(model):
            with counting_kept(model) as kept:
                result = guarded(partial(task.training_step, model.train(), batch, phase), trail)
            most = max(most, kept.bytes / len(batch))
            guarded(result.loss.mean().backward, trail)
    return most


def _on_meta(batch: Batch) -> Batch:
    def move(tensor: Tensor) -> Tensor:
        """The tensor without its memory."""
        return tensor.to("meta")

    return Batch(
        {name: over(value, move) for name, value in batch.inputs.items()},
        {name: over(value, move) for name, value in batch.targets.items()},
        batch.ids,
        weights=None if batch.weights is None else move(batch.weights),
    )
