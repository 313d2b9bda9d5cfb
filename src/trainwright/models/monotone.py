"""A perceptron whose answer never falls where some inputs rise, whatever its weights."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, closest
from trainwright.fields import PositiveInt
from trainwright.models.inputs import FlattenInputs

DEAD_WHEN = {"monotone": {"others": "not hidden"}}


class NonNegativeLinear(nn.Linear):
    """A linear layer that uses the absolute values of its weights; its bias may be negative."""

    def forward(self, input: Tensor) -> Tensor:
        """Numbers `[B, in]` to `[B, out]`, none of which falls where one of the inputs rises."""
        return F.linear(input, self.weight.abs(), self.bias)


class MixedElu(nn.Module):
    """A third of the units is convex (ELU), a third concave, a third bounded at both ends; all are rising.

    With non-negative weights, convex units alone could only make convex functions. Runje and
    Shankaranarayana, "Constrained Monotonic Neural Networks", ICML 2023, arXiv:2205.11775.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Numbers `[B, K]` to `[B, K]`."""
        convex, concave, bounded = x.tensor_split(3, 1)
        low, high = F.elu(bounded + 1) - 1, 1 - F.elu(1 - bounded)
        return torch.cat([F.elu(convex), -F.elu(-concave), torch.where(bounded < 0, low, high)], 1)


class Monotone(nn.Module):
    """The inputs that the answer is monotone in run through layers of non-negative weights.

    All other inputs make numbers that are added before each activation: they decide freely where and how fast
    the answer rises.

    Args:
        inputs: Input columns.
        directions: Column -> 1 where the answer is to rise with it, -1 where it is to fall.
        num_outputs: Width of the answer.
        hidden: Width of each hidden layer.
        others: Width of the hidden layer of the other inputs.
    """

    def __init__(
        self,
        inputs: dict[str, TensorSpec],
        directions: dict[str, int],
        num_outputs: int,
        *,
        hidden: list[int],
        others: int,
    ) -> None:
        super().__init__()
        self.only = next(iter(inputs)) if len(inputs) == 1 else None
        self.directions = directions
        rest = {name: spec for name, spec in inputs.items() if name not in directions}
        self.rest = FlattenInputs(rest, "one_hot", 1) if rest else None
        widths = [sum(inputs[name].shape[0] for name in directions), *hidden, num_outputs]
        self.rising = nn.ModuleList(NonNegativeLinear(before, after) for before, after in pairwise(widths))
        self.activation = MixedElu()
        if self.rest is not None:
            # Without hidden layers the model is linear in everything.
            deep = bool(hidden)
            width = others if deep else self.rest.out_features
            self.features = (
                nn.Sequential(nn.Linear(self.rest.out_features, others), nn.ReLU()) if deep else nn.Identity()
            )
            self.shifts = nn.ModuleList(nn.Linear(width, after, bias=False) for after in widths[1:])

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor:
        """The tensor of the only input, or a dict of them, to `[B, num_outputs]`."""
        named = {self.only: inputs} if isinstance(inputs, Tensor) and self.only else inputs
        assert isinstance(named, dict)
        x = torch.cat([sign * named[name] for name, sign in self.directions.items()], 1)
        features = None if self.rest is None else self.features(self.rest(named))
        last = len(self.rising) - 1
        for place, layer in enumerate(self.rising):
            x = layer(x)
            if features is not None:
                x = x + self.shifts[place](features)
            if place < last:
                x = self.activation(x)
        return x


def monotone(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    targets: dict[str, TensorSpec],
    *,
    increasing: list[str] = [],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    decreasing: list[str] = [],  # noqa: B006
    hidden: list[PositiveInt] = [48, 48],  # noqa: B006
    others: PositiveInt = 48,
) -> nn.Module:
    """Predicts numbers that never fall (or never rise) where named inputs rise and all else stays.

    It holds for every value of the weights and everywhere, also far from the training data: the form of the
    network sees to it, not a penalty. Each normalisation of numbers keeps the order, so that it holds in the
    columns' own units as well.

    Args:
        inputs: Input columns.
        num_outputs: Width of the answer `[B, num_outputs]`.
        targets: Target columns, all of them numbers.
        increasing: Number inputs with which the answer never falls; of an input of several numbers, with any.
        decreasing: Number inputs with which it never rises.
        hidden: Width of each hidden layer; `[]` is a linear model.
        others: Width of the hidden layer of all other inputs.

    Raises:
        ModelError: A column is no number input, stands in both lists, or there is none; or a target is no
            number.
    """
    _check_targets(targets)
    directions = _directions(inputs, increasing, decreasing)
    return Monotone(inputs, directions, num_outputs, hidden=list(hidden), others=others)


def _directions(
    inputs: dict[str, TensorSpec], increasing: Iterable[str], decreasing: Iterable[str]
) -> dict[str, int]:
    """Column -> 1 or -1."""
    found: dict[str, int] = {}
    for sign, key, names in ((1, "increasing", increasing), (-1, "decreasing", decreasing)):
        for name in names:
            _check_column(inputs, name, f"model.{key}")
            if found.setdefault(name, sign) != sign:
                raise ModelError(
                    f"the answer cannot both rise and fall with {name!r}",
                    where=f"model.{key}",
                    fix="name it in one of `increasing` and `decreasing`",
                )
    if not found:
        raise ModelError(
            "no input is named that the answer is to rise or fall with",
            where="model",
            fix="name number inputs in `increasing` or `decreasing`, or use mlp",
        )
    return found


def _check_column(inputs: dict[str, TensorSpec], name: str, where: str) -> None:
    if name not in inputs:
        guess = closest(name, inputs)
        raise ModelError(
            f"there is no input {name!r}",
            where=where,
            fix=f"did you mean {guess!r}?" if guess else f"the inputs are {', '.join(inputs)}",
        )
    if inputs[name].type != "number":
        raise ModelError(
            f"the input {name!r} is of type {inputs[name].type}, which has no order",
            where=where,
            fix="name inputs of type number",
        )


def _check_targets(targets: dict[str, TensorSpec]) -> None:
    for name, spec in targets.items():
        if spec.type != "number":
            raise ModelError(
                f"monotone does not answer the {spec.type} target {name!r}",
                where="model",
                why="what rises or falls is a number",
                fix="make it a target of type number, or use mlp",
            )
