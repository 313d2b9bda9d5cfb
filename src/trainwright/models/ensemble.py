"""Several models that answer together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from annotated_types import MinLen
from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import ComponentOf
from trainwright.models.arguments import TargetArguments, build_model
from trainwright.models.widths import VECTORS, output_width

Combine = Literal["average", "maximum"]


class Ensemble(nn.Module):
    """Members that read the same inputs; their answers to every target are combined.

    Of classes it is the probabilities that are combined, and given as their logarithms, which a loss and a
    softmax read like any logits.

    Args:
        members: Models that give the numbers of all targets side by side.
        targets: Target columns, in the order of their numbers.
        combine: `average` or `maximum`.
    """

    def __init__(
        self, members: Sequence[nn.Module], targets: Mapping[str, TensorSpec], combine: Combine
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.kinds = [spec.type for spec in targets.values()]
        self.widths = [output_width(spec) for spec in targets.values()]
        self.combine = combine

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor:
        """Inputs `[B, ...]` to the numbers of all targets side by side `[B, sum]`."""
        answers = torch.stack([member(inputs) for member in self.members])
        if answers.dim() != 3 or answers.shape[2] != sum(self.widths):
            raise ModelError(
                f"a member gives {list(answers.shape[2:])} per sample, the targets need [{sum(self.widths)}]",
                where="model.members",
                fix="choose members that give the numbers of all targets side by side",
            )
        parts = answers.split(self.widths, dim=2)
        return torch.cat(
            [self._combined(kind, part) for kind, part in zip(self.kinds, parts, strict=True)], 1
        )

    def _combined(self, kind: str, answers: Tensor) -> Tensor:
        """One target's answers `[members, B, K]` as one `[B, K]`."""
        if kind == "number":
            return answers.mean(0) if self.combine == "average" else answers.amax(0)
        if kind == "categories":
            # The odds of a probability p are p : 1 - p, each of which is combined for itself.
            return self._together(F.logsigmoid(answers)) - self._rest(F.logsigmoid(-answers))
        return self._together(answers.log_softmax(2))

    def _together(self, logs: Tensor) -> Tensor:
        if self.combine == "maximum":
            return logs.amax(0)
        return logs.logsumexp(0) - math.log(len(self.members))

    def _rest(self, logs: Tensor) -> Tensor:
        """The logarithm of what the combined probability leaves over."""
        return logs.amin(0) if self.combine == "maximum" else self._together(logs)


def ensemble(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    targets: dict[str, TensorSpec],
    losses: dict[str, Callable[..., Tensor] | None],
    class_weights: dict[str, Tensor | None],
    *,
    members: Annotated[list[Annotated[dict[str, Any], ComponentOf("model")]], MinLen(2)],
    combine: Combine = "average",
) -> nn.Module:
    """Models side by side, each with first weights of its own, that answer and are trained as one.

    Args:
        inputs: Input columns; every member reads all of them.
        num_outputs: Width that the targets need.
        targets: Categories, numbers and distributions.
        losses: Target -> loss that the recipe names.
        class_weights: Target -> weight of every class.
        members: Two models or more, of any kind that gives numbers side by side.
        combine: `average` of the probabilities of classes, and of numbers; or the `maximum` of either.

    Raises:
        ModelError: A target is of another type.
    """
    for name, spec in targets.items():
        if spec.type not in VECTORS:
            raise ModelError(
                f"an ensemble does not answer the {spec.type} target {name!r}",
                where="model",
                why=f"it combines answers to targets of type {', '.join(VECTORS)}",
                fix="train one of its members alone",
            )
    given = TargetArguments(targets, losses, class_weights)
    built = [
        build_model(
            registry.validate("model", member, where=f"model.members.{place}"), inputs, num_outputs, given
        )
        for place, member in enumerate(members)
    ]
    return Ensemble(built, targets, combine)
