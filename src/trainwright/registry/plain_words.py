"""Types and values in plain words, for error messages and for `explain`."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types

from trainwright.fields import ComponentOf
from trainwright.registry.info import UNANNOTATED

_SCALARS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    type(None): "null",
    Any: "any value",
    object: "any value",
    UNANNOTATED: "any value",
}
_PLURALS = {
    "a whole number": "whole numbers",
    "a number": "numbers",
    "a path": "paths",
    "any value": "values",
    "a list": "lists",
    "a mapping": "mappings",
}


def members(annotation: Any) -> list[Any]:
    """The alternatives of a union, or the annotation alone; a union within `Annotated` stays whole."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for item in get_args(annotation) for inner in members(item)]
    return [annotation]


def describe_type(annotation: Any) -> str:
    """What a value must be: `a number > 0`, `one of a, b`, `a list of whole numbers >= 1`."""
    options = members(annotation)
    if len(options) > 1:
        words = [describe_type(item) for item in options if item is not type(None)]
        words += ["null"] if type(None) in options else []
        return " or ".join(words)
    if get_origin(annotation) is Annotated:
        return _annotated(annotation)
    try:
        if annotation in _SCALARS:
            return _SCALARS[annotation]
    except TypeError:
        pass  # unhashable, so none of the scalars
    return _generic(annotation)


def _generic(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        shown = [show(item) for item in arguments]
        return shown[0] if len(shown) == 1 else "one of " + ", ".join(shown)
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return f"a list of {len(arguments)}: [{', '.join(describe_type(a) for a in arguments)}]"
    if origin in (list, tuple, set, frozenset, Sequence):
        marks = [m for m in getattr(arguments[0], "__metadata__", ()) if isinstance(m, ComponentOf)]
        words = f"{marks[0].kind} components" if marks else _plural(describe_type(arguments[0]))
        return f"a list of {words}"
    if origin in (dict, Mapping):
        key, item = (describe_type(argument) for argument in arguments)
        return "a mapping" if (key, item) == ("text", "any value") else f"a mapping of {key} to {item}"
    if annotation in (list, tuple, set, frozenset):
        return "a list"
    if annotation is dict or hasattr(annotation, "model_fields"):
        return "a mapping"
    return f"a {getattr(annotation, '__name__', str(annotation))}"


def _annotated(annotation: Any) -> str:
    base, *marks = get_args(annotation)
    for mark in marks:
        if isinstance(mark, ComponentOf):
            article = "an" if mark.kind[0] in "aeiou" else "a"
            return f"{article} {mark.kind} (a name, or a mapping with `name` and its parameters)"
    ranges = [words for mark in marks for words in _range(mark)]
    return " ".join([describe_type(base), " and ".join(ranges)]).strip()


def _range(mark: Any) -> list[str]:
    """A constraint in words, such as `>= 0`. Reads annotated_types marks and pydantic's `Field`."""
    words = []
    for sign, name in ((">", "gt"), (">=", "ge"), ("<", "lt"), ("<=", "le")):
        limit = getattr(mark, name, None)
        if limit is not None:
            words.append(f"{sign} {limit:g}" if isinstance(limit, float) else f"{sign} {limit}")
    if isinstance(mark, annotated_types.MultipleOf):
        words.append(f"a multiple of {mark.multiple_of}")
    least, most = getattr(mark, "min_length", None), getattr(mark, "max_length", None)
    words += [f"with at least {least} entries"] if least else []
    words += [f"with at most {most} entries"] if most is not None else []
    for inner in getattr(mark, "metadata", ()):
        words += _range(inner)
    pattern = getattr(mark, "pattern", None)
    return [*words, f"that matches {pattern}"] if isinstance(pattern, str) else words


def _plural(words: str) -> str:
    if " or " in words:
        return f"items, each {words}"
    for one, many in _PLURALS.items():
        if words == one or words.startswith(one + " "):
            return many + words[len(one) :]
    return words


def show(value: Any) -> str:
    """A value as a recipe would write it, shortened."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"`{value}`" if len(value) <= 60 else f"`{value[:57]}...`"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def show_with_type(value: Any) -> str:
    """A wrong value and, where it is not plain, what it is: text `5` differs from the number 5."""
    kinds = ((str, "the text "), (list, "the list "), (dict, "the mapping "))
    return next((word for kind, word in kinds if isinstance(value, kind)), "") + show(value)
