"""The search space of a recipe: its dimensions in an order in which each follows what it depends on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainwright.recipe.nodes import DEFAULT, Node, from_plain, split_path
from trainwright.recipe.overrides import apply_overrides, read_overrides
from trainwright.recipe.schema import Dimension, Recipe
from trainwright.recipe.slots import annotation_at, typed_path
from trainwright.registry.plain_words import members
from trainwright.registry.problems import bare

Value = Any
Point = dict[str, Value]
"""Key path -> value, for every dimension that is active; it is applied to a recipe as overrides are."""


@dataclass(frozen=True)
class Variable:
    """One dimension of a space.

    Attributes:
        path: Key path or alias, as the recipe has it.
        choices: Values to choose from; None for a range.
        low: Smallest value of a range.
        high: Largest value of a range.
        log: Whether it is drawn by its logarithm.
        step: Distance of neighbouring values, None where there is none.
        integer: Whether its values are whole numbers.
        when: Other path -> values of it with which this dimension is active.
    """

    path: str
    choices: tuple[Value, ...] | None = None
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    step: float | None = None
    integer: bool = False
    when: Mapping[str, tuple[Value, ...]] | None = None

    def number(self, value: float) -> float | int:
        """A value of the range as a recipe has it."""
        return round(value) if self.integer else float(value)

    @property
    def edges(self) -> list[Value]:
        """Every choice, or both ends of the range."""
        if self.choices is not None:
            return list(self.choices)
        return [self.number(self.low), self.number(self.high)]

    def active(self, point: Mapping[str, Value]) -> bool:
        """Whether it is searched, the dimensions before it being at `point`."""
        return all(
            path in point and any(matches(point[path], wanted) for wanted in values)
            for path, values in (self.when or {}).items()
        )


@dataclass(frozen=True)
class Space:
    """All dimensions, each behind those that its `when` names."""

    variables: tuple[Variable, ...]

    def point(self, choose: Callable[[Variable], Value]) -> Point:
        """A point, asking for the value of each active dimension in turn."""
        point: Point = {}
        for variable in self.variables:
            if variable.active(point):
                point[variable.path] = choose(variable)
        return point

    def points(self, values: Callable[[Variable], list[Value]]) -> Iterator[Point]:
        """Every combination of values, the last dimension varying fastest; inactive ones are left out."""

        def extend(index: int, point: Point) -> Iterator[Point]:
            """Completions of a point from the dimension `index` on."""
            if index == len(self.variables):
                yield dict(point)
                return
            variable = self.variables[index]
            if not variable.active(point):
                yield from extend(index + 1, point)
                return
            for value in values(variable):
                yield from extend(index + 1, {**point, variable.path: value})

        return extend(0, {})


def matches(value: Value, wanted: Value) -> bool:
    """Whether a value is the wanted one; a component is also wanted by its name."""
    if isinstance(value, Mapping) and isinstance(wanted, str):
        return wanted in (value.get("name"), value.get("type"))
    return point_key({"": value}) == point_key({"": wanted})


def point_key(point: Mapping[str, Value]) -> str:
    """Text that is equal for equal points."""
    return json.dumps(point, sort_keys=True, separators=(",", ":"))


def space_of(recipe: Recipe) -> Space:
    """The space of a recipe's `tune` section, which has passed `check_tuning`."""
    assert recipe.tune is not None
    space = recipe.tune.space
    return Space(tuple(variable_of(recipe, path, space[path]) for path in in_order(space)))


def in_order(space: Mapping[str, Dimension]) -> list[str]:
    """Paths, each behind those that its `when` names or that it lies within; circles are left out."""
    before = {
        path: {*item.when, *(outer for outer in space if path.startswith(f"{outer}."))}
        for path, item in space.items()
    }
    order: list[str] = []
    waiting = list(space)
    while waiting:
        ready = [path for path in waiting if before[path] <= {*order}]
        if not ready:
            break
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def variable_of(recipe: Recipe, path: str, dimension: Dimension) -> Variable:
    """A dimension with what the recipe's schema says of its key."""
    when = {key: tuple(v) if isinstance(v, list) else (v,) for key, v in dimension.when.items()}
    if dimension.choices is not None:
        return Variable(path, choices=tuple(dimension.choices), when=when)
    integer = dimension.int if dimension.int is not None else _takes_whole_numbers_only(recipe, path)
    low, high = dimension.low or 0.0, dimension.high or 0.0
    return Variable(path, None, low, high, dimension.log, dimension.step, integer, when)


def _takes_whole_numbers_only(recipe: Recipe, path: str) -> bool:
    """Whether the schema, or a component that the space can put around the key, takes integers alone."""
    assert recipe.tune is not None
    for around in ({}, *component_choices(recipe.tune.space, path)):
        tree = applied(recipe, around)
        annotation = annotation_at(typed_path(split_path(recipe.aliases.get(path, path)), tree), tree)
        if annotation is not None:
            kinds = [bare(option) for option in members(bare(annotation))]
            return int in kinds and float not in kinds
    return False


def component_choices(space: Mapping[str, Dimension], path: str) -> list[Point]:
    """Choices of the dimensions within whose value a path lies, each as a point."""
    return [
        {outer: choice}
        for outer, dimension in space.items()
        if path.startswith(f"{outer}.")
        for choice in dimension.choices or ()
    ]


def applied(recipe: Recipe, point: Mapping[str, Value]) -> Node:
    """The recipe without its `tune` section, changed as a point says. Raises RecipeError, ErrorList."""
    tree = from_plain(recipe.model_dump(exclude={"tune"}), DEFAULT)
    apply_overrides(tree, read_overrides(point))
    return tree
