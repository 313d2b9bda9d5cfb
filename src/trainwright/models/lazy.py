"""Layers that take their sizes from the first batch, such as `torch.nn.LazyLinear`: they are given one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.inspect import example_inputs, run_once


def settle_sizes(model: nn.Module, inputs: Mapping[str, TensorSpec]) -> None:
    """Sends two samples of zeros through a model whose parameters have no sizes yet; no other is touched.

    Without this the model could be neither counted nor copied, and its initial weights would not be those
    of the seed. Nothing else changes: the pass is one of evaluation, in which no statistics move.

    Args:
        model: Freshly built.
        inputs: Description of every input column.

    Raises:
        ModelError: The forward pass fails, naming the layer, or never comes by a layer without sizes.
    """
    if not _without_sizes(model):
        return
    modes = {module: module.training for module in model.modules()}
    try:
        run_once(model.eval(), example_inputs(inputs, device=str(torch.get_default_device())))
    finally:
        for module, training in modes.items():
            module.training = training
    left = _without_sizes(model)
    if left:
        layer = left[0].rpartition(".")[0]
        raise ModelError(
            f"layer {layer!r} takes its sizes from the first batch, and no batch reaches it",
            where="model",
            why="the forward pass does not call it in evaluation",
            fix="remove the layer, or give it its sizes",
        )


def _without_sizes(model: nn.Module) -> list[str]:
    named = [*model.named_parameters(), *model.named_buffers()]
    return [name for name, tensor in named if is_lazy(tensor)]
