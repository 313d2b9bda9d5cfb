"""Which parameters are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainwright.errors import ModelError
from trainwright.models.patterns import check_patterns, matches_any


def freeze(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Freezes every parameter that a glob pattern names, and the statistics of its BatchNorm.

    Args:
        model: Changed in place.
        patterns: Such as `conv1.*`, or `features` for everything below that module.

    Returns:
        Names of the frozen parameters.

    Raises:
        ModelError: A pattern names nothing, or nothing is left to train.
    """
    names = [name for name, _ in model.named_parameters()]
    check_patterns(patterns, names, "train.freeze")
    frozen = [name for name in names if matches_any(name, patterns)]
    _apply(model, set(frozen), "train.freeze")
    return frozen


def train_only(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Freezes every parameter that no pattern names.

    Args:
        model: Changed in place.
        patterns: Globs as in `freeze`.

    Returns:
        Names of the frozen parameters.

    Raises:
        ModelError: A pattern names nothing.
    """
    names = [name for name, _ in model.named_parameters()]
    check_patterns(patterns, names, "train.trainable")
    frozen = [name for name in names if not matches_any(name, patterns)]
    _apply(model, set(frozen), "train.trainable")
    return frozen


def _apply(model: nn.Module, frozen: set[str], where: str) -> None:
    for name, parameter in model.named_parameters():
        if name in frozen:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ModelError(
            "nothing is left to train: every parameter is frozen",
            where=where,
            fix="leave at least the output layer trainable",
        )
    keep_frozen_norms_in_eval(model)


def keep_frozen_norms_in_eval(model: nn.Module) -> None:
    """Makes every BatchNorm without a trainable parameter use, and keep, its stored statistics.

    Its mean and variance would otherwise go on moving with the new data, and with them the outputs of a
    layer that was meant to stay as it is.
    """
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.affine:
            if any(parameter.requires_grad for parameter in module.parameters(recurse=False)):
                continue
            if _stay_in_eval not in module._forward_pre_hooks.values():
                # A hook survives every later model.train(), whoever calls it, and a deepcopy as well.
                module.register_forward_pre_hook(_stay_in_eval)


def _stay_in_eval(module: nn.Module, args: Any) -> None:
    # Layers may be frozen for a time only.
    if not any(parameter.requires_grad for parameter in module.parameters(recurse=False)):
        module.training = False
