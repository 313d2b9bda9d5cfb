"""From a recipe's `model` to a network that fits the data."""

from __future__ import annotations

from typing import Any

from torch import nn

from trainwright import registry
from trainwright.data.types import DataInfo
from trainwright.errors import ModelError, TrainwrightError


def build_model(spec: dict[str, Any], data: DataInfo, num_outputs: int) -> nn.Module:
    """The network, with initial weights drawn from the default generators.

    Args:
        spec: Validated component spec of kind `model`.
        data: What the network reads.
        num_outputs: Numbers it must give per sample.

    Raises:
        ModelError: The network cannot be built; for a user's own code, with the error it raised.
    """
    given: dict[str, Any] = {"inputs": data.inputs, "num_outputs": num_outputs, "num_classes": num_outputs}
    given.update(_shape(data))
    try:
        model = registry.build("model", spec, **given)
    except TrainwrightError:
        raise
    except Exception as error:
        raise ModelError(
            f"the model {spec['name']!r} could not be built: {type(error).__name__}: {error}",
            where="model",
            fix="check the model's parameters against the size and number of the inputs",
        ) from error
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"{spec['name']!r} gave a {type(model).__name__}, not a torch.nn.Module", where="model"
        )
    return model


def _shape(data: DataInfo) -> dict[str, Any]:
    """Sizes of the only input, by the names that a network's constructor may use."""
    if len(data.inputs) != 1:
        return {}
    shape = next(iter(data.inputs.values())).shape
    if len(shape) == 3:
        return {"in_channels": shape[0], "image_size": (shape[1], shape[2])}
    return {"in_features": shape[0]} if len(shape) == 1 else {}
