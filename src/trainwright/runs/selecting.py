"""Choosing, ordering and tabling runs by what is known of them: state, progress, metrics, recipe values.

A key is a field of the run's row (`state`, `step`, `seconds` ...), a metric (`test/accuracy`), or a key path
of the recipe (`train.optimizer.lr`). Where a run lacks a key its value is None: it fits no condition but
`!=`, and stands last in every order.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from trainwright.errors import UserError, closest
from trainwright.runs.difference import flatten, resolved_values
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import DAMAGED, RunRow
from trainwright.runs.record import RunState

_CONDITION = re.compile(r"\s*(?P<key>[\w./-]+?)\s*(?P<sign><=|>=|!=|==|=|<|>)\s*(?P<value>.*?)\s*")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
Item = TypeVar("Item")
STATES = (*map(str, RunState), DAMAGED)
FIELDS = tuple(item.name for item in fields(RunRow) if item.name != "metrics")


@dataclass(frozen=True)
class Known:
    """A run's row, and its recipe as far as somebody asks for it."""

    row: RunRow
    recipe: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        if key in FIELDS:
            return getattr(self.row, key)
        return self.row.metrics.get(key, self.recipe.get(key))


def known(runs: Sequence[RunDirectory], rows: Sequence[RunRow], keys: Sequence[str]) -> list[Known]:
    """Rows with what the keys ask for; recipes are read only where a key is neither field nor metric.

    Raises:
        UserError: No run has a value of one of the keys.
    """
    unknown = [key for key in keys if key not in FIELDS and not any(key in row.metrics for row in rows)]
    read = [dict(flatten(_values(run))) if unknown else {} for run in runs]
    found = [Known(row, recipe) for row, recipe in zip(rows, read, strict=True)]
    refuse_unknown(
        unknown,
        read,
        bool(rows),
        lambda: [*(m for row in rows for m in row.metrics), *(k for r in read for k in r)],
    )
    return found


def refuse_unknown(
    keys: Iterable[str],
    recipes: Iterable[Mapping[str, Any]],
    any_runs: bool,
    there: Callable[[], Sequence[str]],
) -> None:
    """Raises UserError where no recipe has one of the keys.

    Args:
        keys: Neither fields nor metrics of any run.
        recipes: Leaves by key path.
        any_runs: Whether there are runs at all.
        there: Gives the metrics and recipe keys that there are.
    """
    recipes = list(recipes)
    for key in keys if any_runs else ():
        if not any(key in recipe for recipe in recipes):
            guess = closest(key, list(dict.fromkeys([*FIELDS, *there()])))
            raise UserError(
                f"no run has {key!r}",
                fix=f"did you mean {guess!r}?"
                if guess
                else f"a field ({', '.join(FIELDS)}), metric or recipe key",
            )


@dataclass(frozen=True)
class Query:
    """Which runs are asked for, in which order, and what of them.

    Attributes:
        conditions: Keys with tests of their values, which all have to hold.
        sort: The key to order by, empty for the order of age.
        falling: Whether the largest comes first.
        columns: Keys to show.
    """

    conditions: tuple[tuple[str, Callable[[Any], bool]], ...] = ()
    sort: str = ""
    falling: bool = False
    columns: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """Everything that has to be known of a run, each once."""
        sort = [self.sort] if self.sort else []
        return list(dict.fromkeys([*self.columns, *(key for key, _ in self.conditions), *sort]))

    def choose(self, runs: Sequence[Item], value: Callable[[Item, str], Any]) -> list[Item]:
        """The runs that fit, in order; those without a value to order by last, whichever way.

        Args:
            runs: In order of age.
            value: Gives what a run has under a key, None where it lacks it.
        """
        found = list(runs)
        for key, holds in self.conditions:
            found = [run for run in found if holds(value(run, key))]
        if not self.sort:
            return found
        by = [(value(run, self.sort), run) for run in found]
        having = [pair for pair in by if pair[0] is not None]
        if len({isinstance(given, str) for given, _ in having}) > 1:
            having = [(str(given), run) for given, run in having]
        having.sort(key=operator.itemgetter(0), reverse=self.falling)
        return [run for _, run in having] + [run for given, run in by if given is None]


def condition(text: str) -> tuple[str, Callable[[Any], bool]]:
    """The key and the test of a condition such as `test/accuracy>0.9`. Raises UserError."""
    match = _CONDITION.fullmatch(text)
    if match is None or not match["value"] or match["value"][0] in "<=>!":
        raise UserError(
            f"{text!r} is no condition",
            where="--where",
            fix="write for example 'test/accuracy>=0.9' or state=done",
        )
    key, sign, value = match["key"], _SIGNS[match["sign"]], _plain(match["value"])
    _refuse_impossible(key, match["sign"], value)

    def holds(given: Any) -> bool:
        """Whether a run's value fits."""
        if match["key"] == "tags":  # one of several
            return (str(value) in (given or "").split(",")) == (match["sign"] != "!=")
        if given is None or isinstance(given, str) != isinstance(value, str):
            return match["sign"] == "!="
        return sign(given, value)

    return key, holds


def _refuse_impossible(key: str, sign: str, value: Any) -> None:
    """Raises UserError where no run can ever fit: a state that there is not, a metric that is a word."""
    if key == "state" and value not in STATES:
        guess = closest(str(value), STATES)
        raise UserError(
            f"{value!r} is no state of a run",
            where="--where",
            fix=f"did you mean {guess}?" if guess else f"one of {', '.join(STATES)}",
        )
    if "/" in key and sign in ("<", "<=", ">", ">=") and isinstance(value, str):
        raise UserError(
            f"{key} is a number, and {value!r} is none",
            where="--where",
            fix=f"write for example '{key}{sign}0.9'",
        )


def _values(run: RunDirectory) -> dict[str, Any]:
    try:
        return resolved_values(run)
    except UserError:
        return {}  # `runs list` says of a damaged run that it is


def _plain(text: str) -> Any:
    lower = text.lower()
    if lower in ("true", "false"):
        return lower == "true"
    try:
        return float(text)
    except ValueError:
        return text.strip("\"'")
