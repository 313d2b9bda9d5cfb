"""Every search: its points lie in the space, and an interrupted search asks the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trainwright import registry
from trainwright.errors import RecipeError
from trainwright.recipe.space import Point, Space, Variable, point_key
from trainwright.tune.trial import Trial, TrialState

SPACE = Space(
    (
        Variable("lr", low=1e-4, high=1e-1, log=True),
        Variable("width", low=8, high=64, step=8, integer=True),
        Variable("drop", low=0.0, high=0.5),
        Variable("opt", choices=("adamw", {"name": "sgd"})),
        Variable("momentum", low=0.0, high=0.9, when={"opt": ("sgd",)}),
    )
)
NAMES = [name for name in registry.names("search") if name != "grid"]


def search(name: str, seed: int = 0, objectives: int = 1, space: Space = SPACE, **options: Any) -> Any:
    directions = {f"m{index}": "minimize" for index in range(objectives)}
    return registry.build("search", {"name": name, **options}, space=space, directions=directions, seed=seed)


def cost(point: Point) -> float:
    return abs(point["lr"] - 0.01) * 10 + abs(point["width"] - 32) / 64 + point["drop"]


def run(name: str, count: int, *, anew: bool, **options: Any) -> list[Point]:
    """A search without parallelism; `anew` makes another one before every ask, as a restart does."""
    history: list[Trial] = []
    one = search(name, **options)
    for number in range(count):
        one = search(name, **options) if anew else one
        point = one.ask(number, history)
        values = (cost(point),)
        history.append(Trial(number, point, TrialState.DONE, values, known=number, ended=number + 1))
    return [trial.point for trial in history]


@pytest.mark.parametrize("name", NAMES)
def test_points_lie_in_the_space(name):
    for point in run(name, 14 if name != "gp" else 5, anew=False):
        assert 1e-4 <= point["lr"] <= 1e-1 and point["width"] in range(8, 65, 8) and 0 <= point["drop"] <= 0.5
        assert isinstance(point["width"], int)
        assert ("momentum" in point) == (point["opt"] == {"name": "sgd"})


@pytest.mark.parametrize("name", NAMES)
def test_a_restart_asks_the_same(name):
    options = {"startup": 4} if name == "gp" else {"population": 4} if name.startswith("nsga") else {}
    count = 6 if name == "gp" else 14
    assert run(name, count, anew=False, **options) == run(name, count, anew=True, **options)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_asks_otherwise(name):
    assert run(name, 2, anew=False, seed=0) != run(name, 2, anew=False, seed=1)


@pytest.mark.parametrize("name", ["tpe", "nsga2", "nsga3", "cmaes"])
def test_trials_side_by_side_and_a_restart_between_them(name):
    """Two run at once, the second ends first: what a restarted search asks next is the same."""
    running = [Trial(0, {}, known=0), Trial(1, {}, known=0)]
    one = search(name)
    history: list[Trial] = []
    for trial in running:
        history.append(replace(trial, point=one.ask(trial.number, history), state=TrialState.RUNNING))
    history[1] = replace(history[1], state=TrialState.DONE, values=(0.3,), ended=1)
    third = one.ask(2, history)
    assert search(name).ask(2, history) == third
    history.append(Trial(2, third, TrialState.RUNNING, known=1))
    history[0] = replace(history[0], state=TrialState.FAILED, ended=2)
    assert search(name).ask(3, history) == one.ask(3, history)


@pytest.mark.parametrize("name", ["tpe", "cmaes", "nsga2", "nsga3"])
def test_a_point_that_was_chosen_otherwise_is_kept(name):
    """A study of another version of the sampler: what was tried counts, not what would have been asked."""
    other = {"lr": 0.02, "width": 24, "drop": 0.25, "opt": "adamw"}
    history = [Trial(0, other, TrialState.DONE, (0.1,), known=0, ended=1)]
    assert point_key(search(name).ask(1, history)) == point_key(search(name).ask(1, history))


@pytest.mark.parametrize("name", ["tpe", "cmaes"])
def test_it_finds_lower_values_than_its_first_draws(name):
    costs = [cost(point) for point in run(name, 60, anew=False)]
    assert sum(costs[-20:]) < 0.75 * sum(costs[:20])


def test_a_failed_trial_that_is_tried_again_is_told_anew():
    one = search("tpe")
    point = one.ask(0, [])
    failed = [Trial(0, point, TrialState.FAILED, None, known=0, ended=1)]
    one.ask(1, failed)
    done = [Trial(0, point, TrialState.DONE, (0.5,), known=0, ended=2)]
    assert one.ask(1, done) == search("tpe").ask(1, done)


def test_one_objective_only():
    with pytest.raises(RecipeError, match="takes one objective, and there are 2"):
        search("cmaes", objectives=2)
    assert search("nsga2", objectives=2).ask(0, []) and search("nsga3", objectives=3).ask(0, [])


def test_random_covers_its_range_evenly():
    one = search("random", space=Space((Variable("x", low=1, high=4, integer=True),)))
    counts = [0] * 5
    for number in range(4000):
        counts[one.ask(number, [])["x"]] += 1
    assert counts[0] == 0 and all(900 < count < 1100 for count in counts[1:])


def test_grid_has_every_point_once_in_a_stable_order():
    space = Space((Variable("a", choices=(1, "x")), Variable("b", low=0.1, high=0.3, step=0.1)))
    grid = search("grid", space=space)
    points = [grid.ask(number, []) for number in range(7)]
    assert grid.size == 6 and points[6] is None
    assert points[:3] == [{"a": 1, "b": 0.1}, {"a": 1, "b": 0.2}, {"a": 1, "b": 0.3}]
    assert len({point_key(point) for point in points[:6]}) == 6


def test_grid_of_a_logarithmic_range():
    grid = search("grid", space=Space((Variable("a", low=1, high=100, log=True, integer=True),)), points=3)
    assert [grid.ask(number, [])["a"] for number in range(3)] == [1, 10, 100]


def test_grid_refuses_what_cannot_be_counted():
    with pytest.raises(RecipeError, match="values that can be counted") as caught:
        search("grid", space=Space((Variable("a", low=0, high=1),)))
    assert caught.value.where == "tune.space.a" and "points" in caught.value.fix
