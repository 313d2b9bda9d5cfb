"""From a recipe's input columns to what a network's first layer reads."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.module_names import module_names

Categories = Literal["one_hot", "embedding"]


class FlattenInputs(nn.Module):
    """Flattens every input, turns categories into vectors and concatenates them all.

    Args:
        inputs: Description of every input column.
        categories: One-hot vectors, or a learned embedding per class.
        embedding: Width of a category's embedding.
    """

    def __init__(self, inputs: dict[str, TensorSpec], categories: Categories, embedding: int) -> None:
        super().__init__()
        self.classes = {name: len(spec.classes) for name, spec in inputs.items() if spec.type == "category"}
        # No name of a column may be that of one of a module's methods.
        self._keys = {name: f"column_{key}" for name, key in module_names(self.classes).items()}
        self.embeddings = nn.ModuleDict()
        if categories == "embedding":
            self.embeddings.update(
                {self._keys[name]: nn.Embedding(count, embedding) for name, count in self.classes.items()}
            )
        for name, spec in inputs.items():
            refuse_text(name, spec)
        self.names = tuple(inputs)
        width = embedding if categories == "embedding" else None
        self.out_features = sum(
            (width or self.classes[name]) if name in self.classes else math.prod(spec.shape)
            for name, spec in inputs.items()
        )

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor:
        """Inputs `[B, ...]` to `[B, out_features]`."""
        if isinstance(inputs, Tensor):
            return self._vector(self.names[0], inputs)
        return torch.cat([self._vector(name, inputs[name]) for name in self.names], dim=1)

    def _vector(self, name: str, value: Tensor) -> Tensor:
        if name not in self.classes:
            return value.flatten(1)
        if self.embeddings:
            embedded: Tensor = self.embeddings[self._keys[name]](value)
            return embedded
        return F.one_hot(value, self.classes[name]).to(torch.get_default_dtype())


def refuse_text(name: str, spec: TensorSpec) -> None:
    """Raises ModelError for a text, whose ids of words are no quantities."""
    if spec.type == "text":
        raise ModelError(
            f"the input {name!r} is a text, which has to be embedded",
            where="model",
            fix="use compose with encoders: {" + name + ": embedding}, or layers beginning with embedding",
        )


def flattened(
    inputs: dict[str, TensorSpec], categories: Categories, embedding: int
) -> tuple[nn.Module | None, int]:
    """What makes one vector of all inputs, None where that is what they are already, and its width."""
    if len(inputs) == 1:
        spec = next(iter(inputs.values()))
        if spec.type != "category":
            refuse_text(next(iter(inputs)), spec)
            module = None if len(spec.shape) == 1 else nn.Flatten()
            return module, math.prod(spec.shape)
    gather = FlattenInputs(inputs, categories, embedding)
    return gather, gather.out_features


def only_input(inputs: dict[str, TensorSpec], model: str, types: tuple[str, ...]) -> TensorSpec:
    """The one input that `model` reads.

    Raises:
        ModelError: There are several inputs, or the one is of none of the types.
    """
    first, *others = inputs.values()
    if others or first.type not in types:
        listed = ", ".join(f"{name} ({spec.type})" for name, spec in inputs.items())
        raise ModelError(
            f"{model} reads one input of type {' or '.join(types)}, but the inputs are: {listed}",
            where="model",
            fix="use compose with an encoder per input, or another model",
        )
    return first


def only_image(inputs: dict[str, TensorSpec], model: str) -> tuple[int, int, int]:
    """Shape `(C, H, W)` of the one image that `model` reads.

    Raises:
        ModelError: There are several inputs, or the one is no image.
    """
    kinds = {name: spec.type for name, spec in inputs.items()}
    if list(kinds.values()) != ["image"]:
        listed = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
        raise ModelError(
            f"{model} reads one image, but the inputs are: {listed}",
            where="model",
            fix="use compose with an encoder per input, mlp, or layers with named inputs",
        )
    channels, height, width = next(iter(inputs.values())).shape
    return channels, height, width
