"""Whatever a checkpoint will hold is saved and restored once, before there is anything to lose."""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from trainwright.engine.layer_trail import words_of
from trainwright.engine.parts import Parts
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.engine.state import Stateful
from trainwright.engine.state_tree import flatten, unflatten
from trainwright.errors import ModelError, TrainwrightError

# Bytes of trained weights up to which their optimizer is tried: its state may take twice as much.
_TRIED = 256 << 20


def check_parts(parts: Parts, *, spoil: bool) -> None:
    """Saves and restores optimizers, schedules, callbacks and what else changes during a training.

    Args:
        parts: Built for the recipe, on any device.
        spoil: The model is not to be trained afterwards: the optimizers take a step without gradient, so that
            they have something to remember. Else they are left alone.

    Raises:
        ModelError: A state is not plain data and tensors, or is another one after it was restored.
    """
    for runner in parts.runners:
        if spoil and sum(parameter.nbytes for _, parameter in runner.phase.parameters) <= _TRIED:
            _step(runner)
            check_restored(runner.named, "the optimizer", "train.optimizer")
        check_restored(runner.schedule, "the schedule", "train.schedule")
    if parts.callbacks is not None:
        for place, (name, callback) in enumerate(parts.callbacks.members.items()):
            if hasattr(callback, "state_dict"):
                check_restored(callback, f"callback {name}", f"train.callbacks.{place}")
    for name, part in parts.task.stateful():
        check_restored(part, f"{name} of the task", "task")


def check_restored(part: Stateful, what: str, where: str) -> None:
    """Saves a part's state as a checkpoint does, gives it back, and compares.

    Args:
        part: With `state_dict` and `load_state_dict`; afterwards it is as it was.
        what: What it is, in words.
        where: Key path for errors.

    Raises:
        ModelError: It cannot be saved or restored.
    """
    fix = "let state_dict give all that changes, as plain data and tensors, and load_state_dict take it back"
    try:
        before = _form(part)
        structure, tensors = before
        part.load_state_dict(unflatten(json.loads(json.dumps(structure)), load(save(tensors))))
        after = _form(part)
    except TrainwrightError:
        raise
    except (Exception, SystemExit) as error:  # code of the user's own may raise anything
        what = f"the state of {what} cannot be saved and restored"
        raise ModelError(what, where=where, why=words_of(error), fix=fix) from error
    if not _equal(before, after):
        raise ModelError(
            f"{what} is another one after it was saved and restored",
            where=where,
            why="an interrupted training could not be resumed",
            fix=fix,
        )


def _form(part: Stateful) -> tuple[Any, dict[str, Tensor]]:
    """The state as a checkpoint holds it: JSON, and copies of the tensors."""
    structure, tensors = flatten(part.state_dict())
    return structure, {name: tensor.clone() for name, tensor in tensors.items()}


def _equal(before: tuple[Any, dict[str, Tensor]], after: tuple[Any, dict[str, Tensor]]) -> bool:
    (first, one), (second, other) = before, after
    return json.dumps(first) == json.dumps(second) and all(
        torch.equal(torch.nan_to_num(tensor), torch.nan_to_num(other[name])) for name, tensor in one.items()
    )


def _step(runner: PhaseRunner) -> None:
    for _, parameter in runner.phase.parameters:
        parameter.grad = torch.zeros_like(parameter)
    try:
        runner.named.optimizer.step()
    except TrainwrightError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(
            "the optimizer fails at its first step",
            where="train.optimizer",
            why=words_of(error),
            fix="let `step` be called without arguments, when every parameter has a gradient",
        ) from error
    finally:
        for _, parameter in runner.phase.parameters:
            parameter.grad = None
