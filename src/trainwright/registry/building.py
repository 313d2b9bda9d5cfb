"""Turns a checked mapping into the object itself. The only place that imports built-in components."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from trainwright.errors import RecipeError
from trainwright.registry.catalogue import describe
from trainwright.registry.checking import convert, validate
from trainwright.registry.info import UNANNOTATED, ComponentInfo
from trainwright.registry.provenance import note_provenance
from trainwright.registry.tables import POSITIONAL
from trainwright.registry.user_code import kept_running, resolve


def load(info: ComponentInfo) -> Any:
    """The class or function behind a description, imported."""
    if info.user_code:
        return resolve(info.target)
    module, _, attribute = info.target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def arguments(kind: str, spec: str | Mapping[str, Any], *, where: str = "") -> dict[str, Any]:
    """Keyword arguments for a component's call, as its signature asks for them.

    Raises:
        RecipeError, ErrorList: The mapping does not fit the signature.
    """
    checked = validate(kind, spec, where=where)
    info = describe(kind, checked["name"])
    given = {} if isinstance(spec, str) else spec
    values = dict(info.fixed)
    for parameter in info.parameters:
        if parameter.name in given or parameter.required:
            value = checked[parameter.name]
            bare = parameter.annotation is UNANNOTATED
            values[parameter.name] = value if bare else convert(parameter.annotation, value)
    return values


def build(kind: str, spec: str | Mapping[str, Any], /, *, where: str = "", **given: Any) -> Any:
    """Imports a component and calls it.

    Args:
        kind: Component kind.
        spec: A name, or a mapping with `name` and parameters.
        where: Key path for errors.
        **given: What the tool can fill; each is passed when the signature has a positional
            parameter of that name, so a caller offers all that it has.

    Raises:
        RecipeError, ErrorList: The mapping does not fit the signature.
    """
    values = arguments(kind, spec, where=where)
    info = describe(kind, spec if isinstance(spec, str) else spec["name"])
    filled = {name: given[name] for name in info.positional if name in given}
    missing = [name for name in info.needs if name not in filled]
    if missing:
        raise RecipeError(
            f"{kind} `{info.name}` needs `{missing[0]}`, which is not known here",
            where=where,
            fix=f"given to a {kind}: {', '.join(n for n in POSITIONAL[kind] if n in given) or 'nothing'}",
        )
    with kept_running(f"{info.name} could not be built", where or kind):
        made = load(info)(**filled, **values)
    note_provenance(made, kind, spec)
    return made


def bind(kind: str, spec: str | Mapping[str, Any], *, where: str = "") -> partial[Any]:
    """A function component (loss, metric) with the recipe's parameters applied.

    Raises:
        RecipeError, ErrorList: The mapping does not fit the signature.
    """
    values = arguments(kind, spec, where=where)
    info = describe(kind, spec if isinstance(spec, str) else spec["name"])
    return partial(load(info), **values)
