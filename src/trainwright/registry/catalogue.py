"""Finds components by kind and name."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from trainwright.errors import RecipeError, closest
from trainwright.registry.info import ComponentInfo
from trainwright.registry.names_elsewhere import name_here
from trainwright.registry.source_reading import describe_source, is_ours
from trainwright.registry.tables import FOREIGN, TABLES
from trainwright.registry.timm_catalogue import is_timm_name, timm_names
from trainwright.registry.user_code import describe_object, is_module


def kinds() -> list[str]:
    """All component kinds."""
    return list(TABLES)


def names(kind: str) -> list[str]:
    """Names of the components of a kind that ship; timm's are in `timm_names()`."""
    return list(_table(kind))


def _table(kind: str) -> dict[str, str]:
    if kind not in TABLES:
        raise KeyError(f"there is no component kind {kind!r}; kinds: {', '.join(TABLES)}")
    return TABLES[kind]


def describe(kind: str, name: str) -> ComponentInfo:
    """What is known of a component, without importing it unless it is the user's own.

    Args:
        kind: One of `kinds()`.
        name: A name of the table, `module:attribute`, or for models and encoders a name of timm.

    Raises:
        RecipeError: There is no such component, or the user's module does not import.
    """
    table = _table(kind)
    if name in table:
        return _describe_source(kind, name, table[name])
    if ":" in name:
        return _describe_target(kind, name)
    if kind in FOREIGN and is_timm_name(name):
        return _describe_foreign(kind, name)
    raise _unknown(kind, name)


_describe_source = lru_cache(maxsize=512)(describe_source)


def _describe_target(kind: str, name: str) -> ComponentInfo:
    if not re.fullmatch(r"[\w.]+:[\w.]+", name):
        raise RecipeError(f"`{name}` is not `module:attribute`", fix="such as my_package.nets:MyNet")
    if is_ours(name.partition(":")[0]):
        return _describe_source(kind, name, name)
    return describe_object(kind, name)


def _describe_foreign(kind: str, name: str) -> ComponentInfo:
    info = _describe_source(kind, name, FOREIGN[kind])
    own = tuple(item for item in info.parameters if item.name != "architecture")
    return replace(info, parameters=own, fixed={"architecture": name})


def _unknown(kind: str, name: str) -> RecipeError:
    known = names(kind)
    foreign = list(timm_names()) if kind in FOREIGN else []
    architecture, dot, tag = name.partition(".")
    if dot and architecture in foreign:
        tags = timm_names()[architecture]
        return RecipeError(
            f"timm has no pretrained weights `{tag}` for {architecture}",
            fix=f"tags: {', '.join(tags)}",
        )
    guess = name_here(kind, name) or closest(name, known) or closest(name, foreign)
    if guess is None and dot:
        module, _, attribute = name.rpartition(".")
        guess = f"{module}:{attribute}" if is_module(name.partition(".")[0]) else None
    hint = f"did you mean `{guess}`? " if guess else ""
    more = f", any of timm's {len(foreign)} models" if foreign else ""
    listed = f"known: {', '.join(known)}{more}, or your own `module:attribute`"
    return RecipeError(f"there is no {kind} `{name}`", fix=hint + listed)
