"""What the `tune` section of a recipe builds: its search, its rules of stopping and its limits."""

from __future__ import annotations

from trainwright import registry
from trainwright.recipe.schema import Recipe, Tune
from trainwright.recipe.space import space_of
from trainwright.tune.constraints import Constraint, WithinConstraints
from trainwright.tune.search.base import Search
from trainwright.tune.stop.base import Stopper

DEFAULT_EPOCHS = 10.0
"""Of a recipe without any budget."""


def search_of(recipe: Recipe) -> Search:
    """The search of a recipe with a `tune` section. Raises RecipeError where it cannot search that space."""
    tune = recipe.tune
    assert tune is not None
    search: Search = registry.build(
        "search",
        tune.search,
        where="tune.search",
        space=space_of(recipe),
        directions=tune.objectives,
        seed=tune.seed,
        constraints=constraints_of(tune),
    )
    return search


def stoppers_of(recipe: Recipe) -> list[Stopper]:
    """The rules that stop or pause trials; limits of the model first, where there are any."""
    tune, train = recipe.tune, recipe.train
    assert tune is not None
    epochs = train.epochs
    if epochs is None and train.steps is None and train.minutes is None:
        epochs = DEFAULT_EPOCHS
    if "train.epochs" in {recipe.aliases.get(path, path) for path in tune.space}:
        epochs = None
    made: list[Stopper] = [
        registry.build("stopper", spec, where=f"tune.stop.{index}", objectives=tune.objectives, epochs=epochs)
        for index, spec in enumerate(tune.stop)
    ]
    within = WithinConstraints(constraints_of(tune))
    return [within, *made] if within.metrics else made


def constraints_of(tune: Tune) -> list[Constraint]:
    """The limits of a `tune` section."""
    return [Constraint(name, item.low, item.high) for name, item in tune.constraints.items()]


def asked_for(recipe: Recipe) -> dict[str, str]:
    """Metrics that runs of a searched recipe have to report -> key path that asks for each."""
    tune = recipe.tune
    assert tune is not None
    stop = {name: "tune.stop" for stopper in stoppers_of(recipe) for name in stopper.metrics}
    stop |= {name: f"tune.constraints.{name}" for name in tune.constraints}
    return stop | {name: f"tune.objectives.{name}" for name in tune.objectives}
