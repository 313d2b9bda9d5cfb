"""What is checked of a model on two real samples before anything is trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from trainwright.data.batch import Batch
from trainwright.engine.generators import seed_generators
from trainwright.engine.state_tree import flatten, unflatten
from trainwright.errors import ModelError
from trainwright.models.inspect import in_terms_of_size
from trainwright.tasks.base import Task

SAMPLES = 2

Given = TypeVar("Given")


class _Trail:
    """The path of the module that is being called, kept by hooks."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.shapes: dict[str, list[int]] = {}


@contextmanager
def _trail(model: nn.Module) -> Iterator[_Trail]:
    trail, handles = _Trail(), []

    def entering(name: str, inputs: tuple) -> None:
        trail.path.append(name)
        if inputs and isinstance(inputs[0], Tensor):
            trail.shapes[name] = list(inputs[0].shape)

    def leaving(*_: object) -> None:
        trail.path.pop()

    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(lambda _, inputs, n=name: entering(n, inputs)))
        handles.append(module.register_forward_hook(leaving))
    try:
        yield trail
    finally:
        for handle in handles:
            handle.remove()


def check_model(task: Task, model: nn.Module, batch: Batch) -> None:
    """Runs one step on a copy of the model, then saves and reloads it.

    Args:
        task: The task.
        model: Freshly built, on the CPU; it is not changed.
        batch: At least one sample; two are taken when there are.

    Raises:
        ModelError: A layer does not fit, an output does not fit its target, the loss is not a finite
            number, no gradient arrives, or the reloaded model answers differently.
    """
    few = Batch(
        {name: t[:SAMPLES].cpu() for name, t in batch.inputs.items()},
        {name: t[:SAMPLES].cpu() for name, t in batch.targets.items()},
        batch.ids[:SAMPLES],
    )
    probe = copy.deepcopy(model).train()
    if len(few) > 1:
        _check_step(task, probe, few)
    _check_reload(task, model, few)


def _check_step(task: Task, model: nn.Module, batch: Batch) -> None:
    seed_generators(0)
    with _trail(model) as trail:
        try:
            outputs = _guarded(lambda: task.predict(model, batch), trail)
        except ModelError as error:
            images = [tuple(t.shape[1:]) for t in batch.inputs.values() if t.dim() == 4]
            raise in_terms_of_size(model, images, error) from error
        task.check_outputs(outputs)
        for phase in task.phases(model):
            model.zero_grad(set_to_none=True)
            result = _guarded(partial(task.training_step, model, batch, phase), trail)
            loss = float(result.loss.detach().mean())
            if not math.isfinite(loss):
                raise ModelError(
                    f"the loss of the very first samples is {loss}",
                    where="train",
                    why="inputs, targets or initial weights are out of range",
                    fix="look at the data's ranges and normalisation (`trainwright check`)",
                )
            result.loss.mean().backward()
            if all(p.grad is None for _, p in phase.parameters):
                raise ModelError(
                    f"no gradient reaches any parameter of phase {phase.name!r}",
                    where="model",
                    why="the output does not depend on them, or the forward pass detaches it",
                )


def _guarded(call: Callable[[], Given], trail: _Trail) -> Given:
    try:
        return call()
    except (RuntimeError, ValueError, IndexError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        layer = next((name for name in reversed(trail.path) if name), "")
        shape = trail.shapes.get(layer)
        raise ModelError(
            f"layer {layer!r} fails" + (f" on an input of shape {shape}" if shape else "")
            if layer
            else "the model fails on its first samples",
            where="model",
            why=f"{type(error).__name__}: {str(error).splitlines()[0]}",
            fix="make the layer's sizes fit what reaches it",
        ) from error


@torch.no_grad()
def _check_reload(task: Task, model: nn.Module, batch: Batch) -> None:
    """Weights that went through the file format must give the same answer, bit for bit."""
    original = copy.deepcopy(model).eval()
    structure, tensors = flatten(original.state_dict())
    reloaded = copy.deepcopy(model).eval()
    for parameter in reloaded.parameters():
        parameter.zero_()
    reloaded.load_state_dict(unflatten(structure, load(save(tensors))))
    seed_generators(0)
    first = task.predict(original, batch)
    seed_generators(0)
    second = task.predict(reloaded, batch)
    for name, value in first.items():
        if not torch.equal(value, second[name]) and not torch.isnan(value).any():
            raise ModelError(
                f"after saving and loading the model, output {name!r} is another",
                where="model",
                why="something that the output depends on is not in the model's state_dict",
                fix="register it as a parameter or a buffer",
            )
