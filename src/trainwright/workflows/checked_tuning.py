"""Whether a recipe can be searched as its `tune` section says, beyond what the recipe alone shows."""

from __future__ import annotations

from collections.abc import Iterable

from trainwright.data.types import PreparedData
from trainwright.errors import MissingExtra
from trainwright.recipe.schema import Recipe
from trainwright.tune.section import asked_for, search_of
from trainwright.workflows.objectives import all_reported, refuse_unreported


def check_search(recipe: Recipe, names: Iterable[str], data: PreparedData) -> list[str]:
    """Builds the search and looks for its objectives among what runs report; what is known of it, in words.

    Args:
        recipe: Any recipe; of one without a `tune` section nothing is known.
        names: Metrics that training and evaluation give.
        data: What it trains on.

    Raises:
        RecipeError: The search cannot search that space, or no run reports what it asks for.
        ErrorList: Several of those.
    """
    if recipe.tune is None:
        return []
    refuse_unreported(asked_for(recipe), all_reported(names, data))
    try:
        search = search_of(recipe)
    except MissingExtra as error:  # no fault of the recipe: it can be trained all the same
        return [f"tune: {error.what}; {error.fix}"]
    points = f"{search.size:,} points" if search.size is not None else "any number of points"
    return [f"tune: {recipe.tune.search['name']} over {', '.join(recipe.tune.space)}, {points}"]
