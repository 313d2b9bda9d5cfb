"""A network written in the recipe, as a list of layers."""

from __future__ import annotations

from typing import Any

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.models.graph.building import build_graph


def layers(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    layers: list[dict[str, Any] | str],
    output: str | dict[str, str] | None = None,
) -> nn.Module:
    """Layers one after the other, or a graph of them by name.

    A layer is a mapping with `type` and that type's parameters, or a type alone. It reads the layer
    before it, unless `inputs` names other layers or input columns (or holds their definitions). Every
    layer may have a `name`, an `activation`, `trainable: false`, an `initializer`, `bias_initializer`,
    `regularizer` and `constraint`; `{shared: NAME, inputs: ...}` uses another layer's weights once more.
    Names of Keras (`Conv2D`, `kernel_size`, `kernel_initializer`) are understood. Shapes follow from the
    inputs.

    Args:
        inputs: Input columns, whose names layers may read.
        num_outputs: Width that the output must have; `units: outputs` stands for it.
        layers: The definitions, in any order as long as `inputs` says what is read.
        output: Layer whose result is the output, or a layer per target; the last one when absent.

    Raises:
        ModelError: Names the layer and the shapes that do not fit together.
    """
    return build_graph(layers, inputs, num_outputs, output, check_width=num_outputs > 0)
