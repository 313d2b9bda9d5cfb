"""Fully connected layers, embeddings and one-hot vectors."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, get_default_dtype, nn
from torch.nn import functional as F

from trainwright.errors import ModelError
from trainwright.fields import PositiveInt

Shape = tuple[int, ...]


class OneHot(nn.Module):
    """Class ids to vectors with a single 1."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        """int64 `[B]` to `[B, classes]`."""
        return F.one_hot(x, self.classes).to(get_default_dtype())


def dense(
    in_shape: Shape,
    num_outputs: int,
    *,
    units: PositiveInt | Literal["outputs"],
    bias: bool = True,
) -> nn.Module:
    """Fully connected layer over the last axis of `[B, F]` or `[B, T, F]`.

    Args:
        in_shape: Shape of its input.
        num_outputs: Width that the recipe's targets need.
        units: Width of its output; `outputs` is what the targets need.
        bias: Whether to add one.
    """
    if len(in_shape) not in (1, 2):
        raise ModelError(
            f"dense reads a vector or a series of vectors, not {list(in_shape)}",
            fix=f"put {'flatten or global_avg_pool' if in_shape else 'embedding or one_hot'} before it",
        )
    width = num_outputs if units == "outputs" else units
    return nn.Linear(in_shape[-1], width, bias=bias)


def embedding(
    in_shape: Shape, num_categories: int | None, *, width: PositiveInt, classes: PositiveInt | None = None
) -> nn.Module:
    """A learned vector per class id.

    Args:
        in_shape: Shape of the ids.
        num_categories: Classes of the category column that it reads, when it reads one directly.
        width: Length of a vector.
        classes: Number of ids; those of the column when absent.
    """
    return nn.Embedding(_classes("embedding", classes, num_categories), width)


def one_hot(in_shape: Shape, num_categories: int | None, *, classes: PositiveInt | None = None) -> nn.Module:
    """A vector with a single 1 per class id.

    Args:
        in_shape: Shape of the ids.
        num_categories: Classes of the category column that it reads, when it reads one directly.
        classes: Number of ids; those of the column when absent.
    """
    return OneHot(_classes("one_hot", classes, num_categories))


def _classes(kind: str, given: int | None, known: int | None) -> int:
    if given is None and known is None:
        raise ModelError(
            f"{kind} does not know how many classes there are",
            why="it does not read a category column directly",
            fix="give classes",
        )
    if given is not None and known is not None and given < known:
        raise ModelError(
            f"{kind} has {given} classes, but the column that it reads has {known}", fix="leave classes out"
        )
    return given or known or 0
