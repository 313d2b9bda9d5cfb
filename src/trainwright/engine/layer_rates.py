"""Layers that learn at a rate of their own, or only from some epoch on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from trainwright.engine.optimizers.groups import NamedParameters
from trainwright.errors import ModelError, RecipeError
from trainwright.models.freezing import keep_frozen_norms_in_eval
from trainwright.models.patterns import check_patterns, matches_any

if TYPE_CHECKING:
    from trainwright.recipe.schema import LayerRate


def assigned(named: NamedParameters, layers: Sequence[LayerRate]) -> list[list[nn.Parameter]]:
    """The parameters of each entry: every parameter belongs to the first one that names it.

    Args:
        named: Names and parameters that are trained.
        layers: Entries of `train.layers`.

    Raises:
        ModelError: An entry names nothing, or nothing that an entry before it does not name.
    """
    found: list[list[nn.Parameter]] = [[] for _ in layers]
    names = [name for name, _ in named]
    for place, layer in enumerate(layers):
        check_patterns(layer.names, names, f"train.layers.{place}.names")
    for name, parameter in named:
        fitting = (n for n, layer in enumerate(layers) if matches_any(name, layer.names))
        if (first := next(fitting, None)) is not None:
            found[first].append(parameter)
    for place, parameters in enumerate(found):
        if not parameters:
            raise ModelError(
                "entries before it name all of its weights",
                where=f"train.layers.{place}.names",
                why="a weight belongs to the first entry that names it",
                fix="put the narrower patterns first",
            )
    return found


def scale_rates(
    optimizer: torch.optim.Optimizer, layers: Sequence[LayerRate], owned: Sequence[Sequence[nn.Parameter]]
) -> None:
    """Divides the groups of a new optimizer by learning rate, those at the full rate first.

    Args:
        optimizer: Changed in place.
        layers: Entries of `train.layers`.
        owned: Parameters of each of them.
    """
    factors = {p: layer.lr_factor for layer, group in zip(layers, owned, strict=True) for p in group}
    divided = []
    for group in optimizer.param_groups:
        present = sorted({factors.get(p, 1.0) for p in group["params"]}, key=lambda factor: factor != 1.0)
        for factor in present:
            places = [n for n, p in enumerate(group["params"]) if factors.get(p, 1.0) == factor]
            part = {**group, "params": [group["params"][n] for n in places], "lr": group["lr"] * factor}
            if "param_names" in group:
                part["param_names"] = [group["param_names"][n] for n in places]
            divided.append((factor != 1.0, part))
    # What is logged as the learning rate is the first group's.
    optimizer.param_groups[:] = [part for _, part in sorted(divided, key=lambda item: item[0])]


class Unfreezing:
    """Freezes layers until their first step: they get no gradient, and their BatchNorm keeps its statistics.

    What is trained is a function of the step alone, so that a resume needs no history.

    Args:
        model: The model of the run.
        starts: First step of each entry.
        owned: Parameters of each entry.
    """

    def __init__(
        self, model: nn.Module, starts: Sequence[int], owned: Sequence[Sequence[nn.Parameter]]
    ) -> None:
        self.model, self.starts, self.owned = model, tuple(starts), owned
        self.begun: tuple[bool, ...] = ()

    def at(self, step: int) -> bool:
        """Freezes and unfreezes for a step, counted from 0; whether anything changed."""
        begun = tuple(start <= step for start in self.starts)
        if begun == self.begun:
            return False
        self.begun = begun
        for parameters, trained in zip(self.owned, begun, strict=True):
            for parameter in parameters:
                parameter.requires_grad_(trained)
        self.model.train()  # a BatchNorm that was frozen until now
        keep_frozen_norms_in_eval(self.model)
        return True


def unfreezing(
    model: nn.Module,
    named: NamedParameters,
    starts: Sequence[int],
    owned: Sequence[Sequence[nn.Parameter]],
) -> Unfreezing | None:
    """What freezes layers for a time; None where all are trained from the start.

    Args:
        model: The model of the run.
        named: Names and parameters that are trained.
        starts: First step of each entry.
        owned: Parameters of each entry.

    Raises:
        RecipeError: Nothing would be trained in the first step.
    """
    late = sum(len(parameters) for start, parameters in zip(starts, owned, strict=True) if start)
    if late == len(named):
        raise RecipeError(
            "nothing is trained at the start",
            where="train.layers",
            why="every weight belongs to an entry with a later `from_epoch`",
            fix="leave at least the output layer out",
        )
    return Unfreezing(model, starts, owned) if late else None


def first_steps(layers: Sequence[LayerRate], steps_per_epoch: int, total: int | None) -> list[int]:
    """First step of each entry.

    Raises:
        RecipeError: An entry begins after the end of the training.
    """
    starts = [round(layer.from_epoch * steps_per_epoch) for layer in layers]
    for place, start in enumerate(starts):
        if total is not None and start >= total:
            raise RecipeError(
                f"the training ends at epoch {total / steps_per_epoch:g}, before these layers are trained",
                where=f"train.layers.{place}.from_epoch",
                fix="lower it, or name the layers in train.freeze",
            )
    return starts
