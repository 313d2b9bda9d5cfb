"""What a recipe says and a training makes no use of, as a dry run of both of its phases shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainwright.engine.preflight import Preflight
from trainwright.errors import ModelError, RecipeError, TrainwrightError
from trainwright.recipe.schema import Recipe, Train
from trainwright.tasks.base import Phase


def dead_config(recipe: Recipe, phases: Sequence[Phase], found: Preflight) -> list[TrainwrightError]:
    """Components that are never called, inputs that are never read, and what the task leaves aside.

    Args:
        recipe: The recipe.
        phases: Of its task.
        found: By the check of the model.
    """
    return [
        *_dead_parts(recipe, found),
        *_dead_inputs(recipe, found),
        *found.dead,
        *_dead_optimizer(recipe, phases),
    ]


def _dead_parts(recipe: Recipe, found: Preflight) -> Iterator[TrainwrightError]:
    told: set[str] = set()
    for part in found.uncalled:
        places = [place for place in _places(recipe.model, part.spec, "model") if place not in told]
        if not places:
            continue  # a default, which nobody has set
        told.add(places[0])
        yield ModelError(
            f"{part.kind} `{part.spec['name']}` is never called",
            where=places[0],
            why=f"model {recipe.model['name']} used none of its layers and weights, neither in a training "
            "step nor in an evaluation",
            fix="remove it, or call it in the model's forward",
        )


def _places(value: Any, spec: Mapping[str, Any], path: str) -> Iterator[str]:
    """Key paths within a part of the recipe at which a component is named; its defaults may be left out."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        is_it = value.get("name") == spec["name"] and all(spec.get(k) == v for k, v in value.items())
        if is_it and path != "model":
            yield path
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    elif path.rpartition(".")[2] != "name" and value == spec["name"]:
        yield path  # a bare name stands for the component with its defaults
    for key, item in items:
        yield from _places(item, spec, f"{path}.{key}")


def _dead_inputs(recipe: Recipe, found: Preflight) -> Iterator[TrainwrightError]:
    for name in recipe.data.inputs:
        if name in found.unread:
            yield ModelError(
                f"the model never reads input `{name}`",
                where=f"data.inputs.{name}",
                why=f"model {recipe.model['name']} was given it in a training step and in an evaluation",
                fix="remove it from data.inputs, or let the model read it",
            )


def _dead_optimizer(recipe: Recipe, phases: Sequence[Phase]) -> Iterator[TrainwrightError]:
    owned = all(phase.optimizer is not None for phase in phases)
    if owned and recipe.train.optimizer != Train().optimizer:
        yield RecipeError(
            "`optimizer` has no effect",
            where="train.optimizer",
            why=f"{' and '.join(phase.name for phase in phases)} have optimizers of their own",
            fix="remove it, or leave the optimizer of one of them out",
        )
