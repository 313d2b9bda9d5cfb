"""Forms of a `tune` section that people write and that are none, each with the form that is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trainwright.recipe.writing import flow
from trainwright.registry.plain_words import show_with_type
from trainwright.registry.problems import Problem

TIME = r"^\d+(\.\d+)?(s|m|min|h|d)$"
_DIMENSION = frozenset({"low", "high", "log", "step", "choices", "when", "int"})


def odd_forms(section: Any) -> list[Problem]:
    """What is written in a `tune` section in another form than it has; places are within the section."""
    if not isinstance(section, Mapping):
        return []
    return [*_stop(section), *_time(section), *_objectives(section), *_space(section), *_limits(section)]


def _stop(section: Mapping[str, Any]) -> Iterator[Problem]:
    given = section.get("stop")
    if isinstance(given, str | Mapping):
        what = f"`stop` is a list of rules, not {show_with_type(given)}"
        yield Problem(("stop",), what, fix=f"write it as a list: stop: [{flow(given)}]")


def _time(section: Mapping[str, Any]) -> Iterator[Problem]:
    given = section.get("time")
    if given is None or (isinstance(given, str) and re.fullmatch(TIME, given)):
        return
    what = f"expected a number with s, min, h or d behind it, got {show_with_type(given)}"
    yield Problem(("time",), what, fix="such as 30s, 90min, 2h or 1d")


def _objectives(section: Mapping[str, Any]) -> Iterator[Problem]:
    given = section.get("objectives")
    if given is None or (isinstance(given, Mapping) and given):
        return
    names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    example = next((name for name in names if isinstance(name, str)), "val/accuracy")
    what = f"expected metrics and which way is better, got {show_with_type(given)}"
    yield Problem(("objectives",), what, fix=f"such as objectives: {{{example}: maximize}}")


def _space(section: Mapping[str, Any]) -> Iterator[Problem]:
    given = section.get("space")
    form = "space: {train.optimizer.lr: {low: 1e-4, high: 1e-1, log: true}}"
    if "space" in section and not (isinstance(given, Mapping) and given):
        what = f"expected key paths with the values to search, got {show_with_type(given)}"
        yield Problem(("space",), what, fix=f"such as {form}")
    for path, item in given.items() if isinstance(given, Mapping) else ():
        place = ("space", str(path))
        if not isinstance(item, Mapping):
            what = f"expected a range or choices, got {show_with_type(item)}"
            fix = f"{{choices: {flow(item)}}}" if isinstance(item, list) else "{low: ..., high: ...}"
            yield Problem(place, what, fix=f"give {fix}")
        elif not _DIMENSION & item.keys() and (inner := _nested(item)):
            what = f"`{path}` holds a mapping, and a key path of the space is written with dots"
            yield Problem(place, what, fix=f"write {path}.{inner}: {{...}}")


def _nested(item: Mapping[str, Any]) -> str:
    """The rest of a key path that is written as mappings within mappings; empty where it is not."""
    for key, value in item.items():
        if isinstance(value, Mapping):
            inner = "" if _DIMENSION & value.keys() else _nested(value)
            return f"{key}.{inner}" if inner else str(key)
    return ""


def _limits(section: Mapping[str, Any]) -> Iterator[Problem]:
    given = section.get("constraints")
    if given is not None and not isinstance(given, Mapping):
        what = f"expected metrics with their limits, got {show_with_type(given)}"
        yield Problem(("constraints",), what, fix="such as constraints: {model/bytes: {high: 2e6}}")
    for name, item in given.items() if isinstance(given, Mapping) else ():
        if not isinstance(item, Mapping):
            what = f"expected limits, got {show_with_type(item)}"
            number = isinstance(item, int | float) and not isinstance(item, bool)
            fix = f"{{high: {item:g}}} or {{low: {item:g}}}" if number else "low, high or both"
            yield Problem(("constraints", str(name)), what, fix=f"give {fix}")
