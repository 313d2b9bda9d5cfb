"""Learned vectors for category inputs, as an encoder."""

from __future__ import annotations

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import PositiveInt
from trainwright.models.inputs import FlattenInputs


def embedding(inputs: dict[str, TensorSpec], *, width: PositiveInt = 8) -> nn.Module:
    """One learned vector per class.

    Args:
        inputs: Category columns; several are concatenated.
        width: Length of a vector.

    Raises:
        ModelError: A column is no category.
    """
    for name, spec in inputs.items():
        if spec.type != "category":
            raise ModelError(
                f"an embedding reads class ids, but the input {name!r} is of type {spec.type}",
                where="model.encoders",
                fix="use mlp or cnn for it",
            )
    return FlattenInputs(inputs, "embedding", width)
