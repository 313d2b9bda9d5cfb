"""Weights of a target's classes in its loss."""

from __future__ import annotations

import torch
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.errors import RecipeError, closest
from trainwright.recipe.schema import Target


def class_weights(name: str, spec: TensorSpec, section: Target) -> Tensor | None:
    """What the recipe asks for, `[C]`; None where all classes count alike.

    Raises:
        RecipeError: The target has no classes, or a named class is none of them.
    """
    wanted = section.class_weights
    where = f"data.targets.{name}.class_weights"
    if wanted == "none":
        return None
    if not spec.classes:
        raise RecipeError("class weights need a target with classes", where=where, fix="remove class_weights")
    if wanted == "auto":
        most = max(spec.counts)
        return torch.tensor([most / max(count, 1) for count in spec.counts])
    assert isinstance(wanted, dict)
    unknown = [key for key in wanted if key not in spec.classes]
    if unknown:
        guess = closest(unknown[0], spec.classes)
        raise RecipeError(
            f"there is no class {unknown[0]!r} in target {name!r}",
            where=where,
            fix=f"did you mean {guess!r}?" if guess else "classes: " + ", ".join(spec.classes[:20]),
        )
    return torch.tensor([float(wanted.get(key, 1.0)) for key in spec.classes])
