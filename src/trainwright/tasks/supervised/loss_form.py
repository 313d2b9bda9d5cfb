"""What a loss of the recipe gives, held against its form: a float per sample, finite at the start."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trainwright.data.batch import Value, tensors_of
from trainwright.errors import ModelError

PER_SAMPLE = "return one value per sample: reduce over all axes but the first, such as by .flatten(1).mean(1)"


def refuse_other_form(loss: Any, samples: int, told: str, where: str) -> None:
    """Raises ModelError where a loss is no tensor `[B]`.

    Args:
        loss: What it gives.
        samples: Size of the batch axis.
        told: What computes it, in words.
        where: Its key path.
    """
    if isinstance(loss, Tensor) and tuple(loss.shape) == (samples,):
        return
    gives = f"gives a {type(loss).__name__} instead of a tensor [B]"
    if isinstance(loss, Tensor):
        gives = f"gives shape {list(loss.shape)} for {samples} samples"
        if loss.dim() == 0:
            gives = f"gives one number for {samples} samples"
    raise ModelError(
        f"{told} {gives}",
        where=where,
        why="every sample has a loss of its own, which is weighed, kept and averaged over its split",
        fix=PER_SAMPLE,
    )


def check_first(loss: Tensor, output: Value, target: Value, told: str, where: str, *, own: bool) -> None:
    """Raises ModelError where the loss of the very first samples has no gradient or is no number.

    Args:
        loss: Of each sample `[B]`.
        output: Of the model.
        target: The truth.
        told: What computes the loss, in words.
        where: Its key path.
        own: It is a user's own, so that it is to be looked at where what it reads is finite.
    """
    learnable = any(part.requires_grad for part in tensors_of({"": output}).values())
    if learnable and not loss.requires_grad:
        raise ModelError(
            f"{told} has no gradient",
            where=where,
            why="what it gives does not depend on the model's outputs by differentiable steps",
            fix="compute it without argmax, rounding, comparisons, .item() or .detach()",
        )
    if not own or torch.isfinite(loss).all():
        return
    read = tensors_of({"output": output, "target": target}).values()
    if all(bool(torch.isfinite(part).all()) for part in read):
        raise ModelError(
            f"{told} gives {loss.detach().tolist()} for the very first samples",
            where=where,
            why="outputs and targets that it reads are finite",
            fix="keep arguments of log, sqrt and divisions in it away from 0, such as by .clamp(min=1e-6)",
        )
