"""Whether a recipe can be trained, or only its data be read, checked and walked."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from trainwright import registry
from trainwright.errors import RecipeError
from trainwright.losses import DEFAULTS
from trainwright.models.heads import DEFAULTS as HEADS
from trainwright.models.widths import VECTORS
from trainwright.runs.sinks.feeding import build_sinks

if TYPE_CHECKING:
    from trainwright.recipe.schema import Recipe

WALK = "`trainwright data check RECIPE` checks the data, `trainwright train RECIPE --data-only` walks them"


def can_be_learned(types: Collection[str]) -> bool:
    """Whether something is to be predicted, all of it of types that some model learns.

    Args:
        types: Types of the target columns.
    """
    return bool(types) and all(kind in DEFAULTS or kind in HEADS for kind in types)


def what_is_missing(recipe: Recipe) -> RecipeError | None:
    """Why the recipe cannot be trained, None where nothing in it speaks against that.

    A task of the user's own may learn anything, and so may a loss; a processor of the user's own says
    only when it is fitted what its column looks like.
    """
    targets = recipe.data.targets
    if not targets and "targets" in registry.describe("task", recipe.task["name"]).needs:
        return RecipeError(
            "`targets` is missing",
            where="data.targets",
            why="a model that is trained learns to predict something",
            fix=f"give a mapping from the name of a column to predict to its type; {WALK}",
        )
    if recipe.task["name"] != "supervised":
        return None
    for name, target in targets.items():
        if target.loss is None and not _may_be_learned(target.type, recipe.model["name"]):
            headed = target.type in HEADS
            what = f"model {recipe.model['name']} does not learn" if headed else "no model learns"
            return RecipeError(
                f"{what} {target.type}" if headed else f"{what} {target.type} yet",
                where=f"data.targets.{name}.type",
                why=f"it learns {', '.join(VECTORS)}",
                fix=f"use the model `pyramid`, which has a head for it; {WALK}"
                if headed
                else f"{WALK}, or name a loss of your own",
            )
    return None


def refuse_untrainable(recipe: Recipe) -> None:
    """Raises RecipeError, or MissingExtra for a sink, where the recipe cannot be trained.

    Data can be looked at all the same.
    """
    missing = what_is_missing(recipe)
    if missing is not None:
        raise missing
    build_sinks(recipe.train.sinks)


def _may_be_learned(kind: str, model: str) -> bool:
    """Whether any model learns the type, this one has a head or is made for it, or one is the user's own."""
    if kind in VECTORS or kind not in registry.names("processor"):
        return True
    if ":" in model or (model == "pyramid" and kind in HEADS):
        return True
    return kind in registry.describe("model", model).targets
