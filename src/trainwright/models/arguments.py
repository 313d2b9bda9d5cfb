"""What a model's constructor may ask for by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, TrainwrightError
from trainwright.models.constructed import as_module, mend_constructor
from trainwright.models.lazy import settle_sizes


def model_arguments(inputs: Mapping[str, TensorSpec], num_outputs: int) -> dict[str, Any]:
    """Values for the positional names of kind `model` and `encoder`.

    Args:
        inputs: Description of every input column.
        num_outputs: Width that the targets need, 0 for features alone.

    Returns:
        `inputs`, `num_outputs` and `num_classes` (the same number) always; `in_channels` and `image_size`
        (height, width) where there is exactly one image; `in_features`, the number of values of a
        sample, where all inputs are numbers.
    """
    given: dict[str, Any] = {"inputs": dict(inputs), "num_outputs": num_outputs, "num_classes": num_outputs}
    images = [spec for spec in inputs.values() if spec.type == "image"]
    if len(inputs) == len(images) == 1:
        channels, height, width = images[0].shape
        given |= {"in_channels": channels, "image_size": (height, width)}
    if all(spec.type == "number" for spec in inputs.values()):
        given["in_features"] = sum(math.prod(spec.shape) for spec in inputs.values())
    return given


@dataclass(frozen=True)
class TargetArguments:
    """What a model may ask for that has parts for single targets.

    Attributes:
        targets: Target columns.
        losses: Target -> loss that the recipe names for it, None where it names none.
        class_weights: Target -> weight of every class `[C]`, None where they count alike.
    """

    targets: Mapping[str, TensorSpec]
    losses: Mapping[str, Callable[..., Tensor] | None]
    class_weights: Mapping[str, Tensor | None]


def build_model(
    spec: Mapping[str, Any],
    inputs: Mapping[str, TensorSpec],
    num_outputs: int,
    targets: TargetArguments | None = None,
    *,
    kind: str = "model",
) -> nn.Module:
    """Builds a recipe's model, or an encoder, from its validated spec.

    Args:
        spec: Name and parameters.
        inputs: Description of every input column.
        num_outputs: Width that the targets need, 0 for features alone.
        targets: What is known of the targets; a model that needs it cannot be built without.
        kind: `model` or `encoder`.

    Raises:
        ModelError: The model needs an image and there is none, or gives no `torch.nn.Module`.
    """
    given = model_arguments(inputs, num_outputs)
    if targets is not None:
        given |= {field.name: dict(getattr(targets, field.name)) for field in fields(targets)}
    needed = registry.describe(kind, spec["name"]).positional
    for name in ("in_channels", "image_size", "in_features"):
        if name in needed and name not in given:
            listed = ", ".join(f"{column} ({spec.type})" for column, spec in inputs.items())
            what = "numbers only" if name == "in_features" else "exactly one image"
            raise ModelError(
                f"{spec['name']} reads {what}, but the inputs are: {listed}",
                where=kind,
                fix="use compose with an encoder per input, mlp, or layers with named inputs",
            )
    try:
        made = registry.build(kind, dict(spec), **given)
    except TrainwrightError:
        raise
    except (Exception, SystemExit) as error:  # a user's constructor may raise anything
        raise ModelError(
            f"{spec['name']} could not be built: {type(error).__name__}: {error}",
            where=kind,
            fix=mend_constructor(error, "check its parameters against the size and number of the inputs"),
        ) from error
    model = as_module(made, spec["name"], kind)
    settle_sizes(model, inputs)
    return model
