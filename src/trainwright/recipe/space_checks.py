"""What is wrong with a recipe's `tune` section: found before the first trial, each with place and fix.

The values of the space are tried on the recipe as overrides, each end of a range and each choice, alone and
in pairs, so whatever a recipe's own check would find in a trial is found here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, product

from pydantic import ValidationError

from trainwright.errors import ErrorList, RecipeError, TrainwrightError, closest
from trainwright.recipe.nodes import KeyPath, join_path, split_path
from trainwright.recipe.rules import check_rules
from trainwright.recipe.schema import Dimension, Recipe, Tune
from trainwright.recipe.slots import advice, annotation_at, typed_path
from trainwright.recipe.space import (
    Point,
    Space,
    Variable,
    applied,
    component_choices,
    in_order,
    matches,
    point_key,
    space_of,
)
from trainwright.registry.plain_words import show
from trainwright.registry.problems import Problem, problems_from

_PAIRS = 400  # validations of pairs, a millisecond each
_AROUND = 16  # combinations of the dimensions that one depends on


def check_tuning(recipe: Recipe) -> list[Problem]:
    """Everything in a `tune` section that cannot be meant, of an otherwise valid recipe."""
    tune = recipe.tune
    if tune is None:
        return []
    found = [*_objectives(recipe, tune), *_constraints(recipe, tune), *_seeds(recipe, tune), *_shapes(tune)]
    found += [problem for path in tune.space for problem in _key_path(recipe, path)]
    if found:
        return found
    space = space_of(recipe)
    found = [problem for variable in space.variables for problem in _whole_numbers(tune, variable)]
    found += [problem for variable in space.variables for problem in _overridden(recipe, space, variable)]
    return found or list(_single_values(recipe, space)) or list(_pairs(recipe, space))


def _objectives(recipe: Recipe, tune: Tune) -> Iterator[Problem]:
    for name in tune.objectives:
        yield from _metric(recipe, name, ("tune", "objectives", name))


def _constraints(recipe: Recipe, tune: Tune) -> Iterator[Problem]:
    for name, item in tune.constraints.items():
        place = ("tune", "constraints", name)
        yield from _metric(recipe, name, place)
        if item.low is None and item.high is None:
            yield Problem(place, "a constraint needs a limit", fix="give low, high or both")
        elif item.low is not None and item.high is not None and item.low > item.high:
            what = f"no number is above {item.low:g} and below {item.high:g}"
            yield Problem(place, what, fix="exchange them")


def _seeds(recipe: Recipe, tune: Tune) -> Iterator[Problem]:
    if tune.seeds == 1 and tune.statistic is not None:
        what = "one seed has no statistic"
        yield Problem(("tune", "statistic"), what, fix="give `seeds`, or remove it")
    if tune.seeds > 1 and any(recipe.aliases.get(path, path) == "train.seed" for path in tune.space):
        what = "the seed is searched, and `seeds` would change it too"
        yield Problem(("tune", "seeds"), what, fix="remove train.seed from the space")


def _metric(recipe: Recipe, name: str, place: KeyPath) -> Iterator[Problem]:
    """What is wrong with the name of a metric, as far as it can be known without the data."""
    split = recipe.data.split
    where, slash, metric = name.partition("/")
    if where == "test":
        yield Problem(
            place,
            "the test split would choose the recipe that it is kept to judge",
            fix=f"use val/{metric}; the test split is scored in every run all the same",
        )
    elif not slash or where not in ("val", "train", "model", "run"):
        guess = closest(name, ["val/loss", "val/accuracy", "train/loss", "val/rmse", "model/parameters"])
        fix = f"did you mean `{guess}`?" if guess else "such as val/accuracy or train/loss"
        yield Problem(place, f"no run reports `{name}`", fix=fix)
    elif where == "val" and split is not None and split.val == 0:
        what = f"there is no val split to compute {name} on"
        yield Problem(place, what, fix="raise data.split.val")


def _shapes(tune: Tune) -> Iterator[Problem]:
    for path, item in tune.space.items():
        place = ("tune", "space", path)
        problems = _choices(item) if item.choices is not None else _range(item)
        for problem in problems:
            yield problem.under(*place)
        yield from (problem.under(*place) for problem in _when(tune, path, item))
    lost = [path for path in tune.space if path not in in_order(tune.space)]
    if lost and all(set(tune.space[path].when) <= set(tune.space) for path in lost):
        what = f"{' and '.join(f'`{path}`' for path in lost)} depend on themselves"
        yield Problem(("tune", "space", lost[0], "when"), what, fix="remove one `when`")


def _choices(item: Dimension) -> Iterator[Problem]:
    assert item.choices is not None
    given = [name for name in ("low", "high", "step", "int") if getattr(item, name) is not None]
    for name in [*given, *(["log"] if item.log else [])]:
        yield Problem(
            (name,), f"`{name}` belongs to a range, and there are `choices`", fix=f"remove `{name}`"
        )
    if len(item.choices) < 2:
        many = "one choice is" if item.choices else "no choices are"
        yield Problem(("choices",), f"{many} nothing to search", fix="give two or more")
    keys = [point_key({"": value}) for value in item.choices]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            what = f"{show(item.choices[index])} is there twice"
            yield Problem(("choices", index), what, fix="remove one")


def _range(item: Dimension) -> Iterator[Problem]:
    if item.low is None or item.high is None:
        missing = "high" if item.high is None else "low"
        missing = missing if item.high is not None or item.low is not None else "choices"
        fix = "give low and high, or choices"
        yield Problem((), f"`{missing}` is missing", fix=fix)
        return
    if item.low >= item.high:
        fix = "exchange them" if item.low > item.high else "give the value to the key itself"
        yield Problem((), f"the range from {item.low:g} to {item.high:g} is empty", fix=fix)
        return
    if item.log and item.low <= 0:
        what = f"the logarithm of {item.low:g} does not exist"
        yield Problem(("low",), what, fix="give a `low` above 0, or remove `log`")
    if item.int:
        for name in ("low", "high", "step"):
            value = getattr(item, name)
            if value is not None and not float(value).is_integer():
                yield Problem((name,), f"{value:g} is no whole number", fix="remove `int`, or round it")
    if item.step is not None:
        yield from _step(item, item.low, item.high, item.step)


def _step(item: Dimension, low: float, high: float, step: float) -> Iterator[Problem]:
    if item.log:
        what = "steps are even, and a logarithmic range is not"
        yield Problem(("step",), what, fix="remove `step` or `log`, or list the values as choices")
        return
    count = (high - low) / step
    if not math.isclose(count, round(count), rel_tol=0, abs_tol=1e-6):
        last = low + math.floor(count) * step
        what = f"from {low:g} in steps of {step:g}, {high:g} is never met"
        fix = "lower `step`" if count < 1 else f"the last value is {last:g}: give high: {last:g}"
        yield Problem(("step",), what, fix=fix)


def _when(tune: Tune, path: str, item: Dimension) -> Iterator[Problem]:
    for name, wanted in item.when.items():
        other = tune.space.get(name)
        place = ("when", name)
        if other is None or name == path:
            guess = closest(name, [key for key in tune.space if key != path])
            fix = f"did you mean `{guess}`?" if guess else "name another key path of the space"
            yield Problem(place, f"`{name}` is not searched", fix=fix)
            continue
        for value in wanted if isinstance(wanted, list) else [wanted]:
            if other.choices is not None and not any(matches(choice, value) for choice in other.choices):
                fix = f"choices: {', '.join(show(_name(choice)) for choice in other.choices)}"
                yield Problem(place, f"`{name}` is never {show(value)}", fix=fix)
            elif other.choices is None and not _within(other, value):
                fix = f"a number from {other.low} to {other.high}"
                yield Problem(place, f"`{name}` is never {show(value)}", fix=fix)


def _name(choice: object) -> object:
    return choice.get("name", choice) if isinstance(choice, dict) else choice


def _within(item: Dimension, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (item.low or 0.0) <= value <= (item.high or 0.0)


def _key_path(recipe: Recipe, path: str) -> Iterator[Problem]:
    """The key exists, in the recipe or in a component that the space puts around it."""
    from trainwright.recipe.salt import NOT_PART  # which imports what loads a recipe

    assert recipe.tune is not None
    place = ("tune", "space", path)
    try:
        parts = split_path(recipe.aliases.get(path, path))
    except RecipeError as error:
        yield Problem(place, error.what, fix=error.fix)
        return
    if any(parts[: len(left_out)] == left_out for left_out in NOT_PART):
        what = f"`{path}` changes nothing about the result, so there is nothing to search"
        yield Problem(place, what, fix="remove it from the space")
        return
    fix = ""
    for around in ({}, *component_choices(recipe.tune.space, path)):
        try:
            tree = applied(recipe, around)
        except TrainwrightError:
            continue  # the choice itself is at fault, and is told of where it is checked
        typed = typed_path(parts, tree)
        if annotation_at(typed, tree) is not None:
            return
        fix = fix or advice(typed, tree)
    yield Problem(place, f"there is no key `{path}`", fix=fix or "`trainwright explain train` lists keys")


def _single_values(recipe: Recipe, space: Space) -> Iterator[Problem]:
    """The first value of each dimension that the recipe refuses."""
    for variable in space.variables:
        for point in _around(space, variable):
            tried = ({**point, variable.path: value} for value in variable.edges)
            refused = next(
                ((tried_one, p) for tried_one in tried if (p := _refused(recipe, tried_one))), None
            )
            if refused is not None and not (point and _refused(recipe, point)):
                yield _told(variable, *refused)
                break


def _whole_numbers(tune: Tune, variable: Variable) -> Iterator[Problem]:
    """A key that takes whole numbers only has a range between such."""
    item = tune.space[variable.path]
    for name in ("low", "high", "step") if variable.integer and item.int is None else ():
        value = getattr(item, name)
        if value is not None and not value.is_integer():
            what = f"{value:g} is no whole number, and `{variable.path}` takes nothing else"
            yield Problem(("tune", "space", variable.path, name), what, fix="round it")


def _overridden(recipe: Recipe, space: Space, outer: Variable) -> Iterator[Problem]:
    """A value within a choice that another dimension replaces whenever the choice is made."""
    around = split_path(recipe.aliases.get(outer.path, outer.path))
    for inner in space.variables:
        parts = split_path(recipe.aliases.get(inner.path, inner.path))
        if inner is outer or parts[: len(around)] != around:
            continue
        for index, choice in enumerate(outer.choices or ()):
            wanted = (inner.when or {}).get(outer.path)
            chosen = wanted is None or any(matches(choice, value) for value in wanted)
            if chosen and set(inner.when or ()) <= {outer.path} and _holds(choice, parts[len(around) :]):
                key = join_path(parts[len(around) :])
                place: KeyPath = ("tune", "space", outer.path, "choices", index, *parts[len(around) :])
                what = f"this `{key}` has no effect: `{inner.path}` is searched beside it"
                yield Problem(
                    place, what, fix=f"remove it, or search `{inner.path}` only `when` others are chosen"
                )


def _holds(choice: object, parts: KeyPath) -> bool:
    """Whether a choice gives a value at a path within it."""
    for part in parts:
        if not isinstance(choice, dict) or part not in choice:
            return False
        choice = choice[part]
    return bool(parts)


def _around(space: Space, variable: Variable) -> list[Point]:
    """Values of what a dimension depends on and of what its key lies within."""
    chosen: list[Variable] = []
    for other in reversed(space.variables[: space.variables.index(variable)]):
        needed = [variable, *chosen]
        if any(other.path in (item.when or {}) or item.path.startswith(f"{other.path}.") for item in needed):
            chosen.insert(0, other)
    points = Space(tuple(chosen)).points(lambda item: _possible(item, [variable, *chosen]))
    return [point for point in points if variable.active(point)][:_AROUND]


def _possible(item: Variable, dependents: list[Variable]) -> list[object]:
    """Ends of a range, and the values that others wait for."""
    if item.choices is not None:
        return list(item.choices)
    wanted = [value for other in dependents for value in (other.when or {}).get(item.path, ())]
    return [*wanted, *item.edges]


def _pairs(recipe: Recipe, space: Space) -> Iterator[Problem]:
    """A value that is refused only beside a value of another dimension: dead there, or too large."""
    left = _PAIRS
    for first, second in combinations(space.variables, 2):
        told = False
        for point in _around(space, second):
            if first.path in point or told or not first.active({**point, first.path: None}):
                continue
            for one, two in product(first.edges, second.edges):
                left -= 1
                problem = _refused(recipe, tried := {**point, first.path: one, second.path: two})
                if problem is not None and second.active(tried):
                    told = True
                    yield _told(second, tried, problem)
                    break
                if left <= 0:
                    return


def _refused(recipe: Recipe, point: Point) -> Problem | None:
    """The first thing that is wrong with the recipe at a point."""
    try:
        raw = applied(recipe, point).plain()
    except TrainwrightError as error:
        first = error.errors[0] if isinstance(error, ErrorList) else error
        return Problem((), first.what, first.why, first.fix)
    try:
        candidate = Recipe.model_validate(raw)
    except ValidationError as error:
        return problems_from(error, Recipe, raw)[0]
    return next(iter(check_rules(candidate)), None)


def _told(variable: Variable, point: Point, problem: Problem) -> Problem:
    """A trial's problem, as one of the space."""
    others = {path: value for path, value in point.items() if path != variable.path}
    beside = " and ".join(f"{path} {show(_name(value))}" for path, value in others.items())
    value = show(point[variable.path])
    what = f"with {value}{f', beside {beside},' if beside else ''} the recipe is refused: {problem.what}"
    own = join_path(problem.path)
    where = "" if own in ("", variable.path) else f"at {own}"
    fix = problem.fix
    if others:
        fix = f"search it only where it has an effect, `when: {{KEY: VALUE}}`{f'; or {fix}' if fix else ''}"
    elif not fix or fix.startswith(("remove", "give ")):
        fix = "take this value out of the space, or change the other"
    return Problem(("tune", "space", variable.path), what, why=problem.why or where, fix=fix)
