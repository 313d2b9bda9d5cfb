"""Whether a recipe can be searched as its `tune` section says, beyond what the recipe alone shows."""

from __future__ import annotations

from collections.abc import Iterable

from trainwright.data.types import PreparedData
from trainwright.engine.position import Budget
from trainwright.errors import MissingExtra, RecipeError
from trainwright.recipe.schema import Recipe
from trainwright.recipe.space import space_of
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
    refuse_dead_budget(recipe, len(data.splits["train"]))
    try:
        search = search_of(recipe)
    except MissingExtra as error:  # no fault of the recipe: it can be trained all the same
        return [f"tune: {error.what}; {error.fix}"]
    points = f"{search.size:,} points" if search.size is not None else "any number of points"
    return [f"tune: {recipe.tune.search['name']} over {', '.join(recipe.tune.space)}, {points}"]


def refuse_dead_budget(recipe: Recipe, rows: int) -> None:
    """Raises RecipeError where a budget is searched whose every value lies beyond the other, fixed one.

    Args:
        recipe: With a `tune` section.
        rows: Training samples.
    """
    assert recipe.tune is not None
    train, searched = recipe.train, space_of(recipe).variables
    paths = {recipe.aliases.get(item.path, item.path): item for item in searched}
    if "train.batch_size" in paths or ("train.epochs" in paths) == ("train.steps" in paths):
        return
    per_epoch = -(-rows // train.batch_size)
    name, other = ("epochs", "steps") if "train.epochs" in paths else ("steps", "epochs")
    variable, fixed = paths[f"train.{name}"], getattr(train, other)
    if fixed is None:
        return
    lasts = [
        Budget.of(per_epoch, value if name == "epochs" else fixed, value if name == "steps" else fixed, None)
        for value in variable.edges
        if value is not None
    ]
    alone = Budget.of(
        per_epoch, fixed if name == "steps" else None, fixed if name == "epochs" else None, None
    )
    if all(budget.total_steps == alone.total_steps for budget in lasts):
        raise RecipeError(
            f"every value of `{variable.path}` in the space trains for {alone.total_steps} steps",
            where="tune.space",
            why=f"train.{other} is {fixed:g} beside it, the first budget that is used up ends a run, and an "
            f"epoch has {per_epoch} steps",
            fix=f"set train.{other}: null, or search it instead",
        )
