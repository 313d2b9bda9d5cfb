"""`${stages.NAME}`: where a value of one stage names the output of another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from trainwright.recipe.nodes import KeyPath, leaves

_REFERENCE = re.compile(r"\$\{stages\.(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)\}")
_ALMOST = re.compile(r"\$\{stages?\b[^}]*\}?")


def named_in(text: str) -> list[str]:
    """Names of the stages that a text refers to, each once."""
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def misspelt_in(text: str) -> str | None:
    """What looks like a reference and is none."""
    return next((found for found in _ALMOST.findall(text) if not _REFERENCE.fullmatch(found)), None)


def replaced(value: Any, replacement: Callable[[str], str]) -> Any:
    """A plain value in whose texts every reference has given way to `replacement(name)`."""
    if isinstance(value, dict):
        return {key: replaced(item, replacement) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(item, replacement) for item in value]
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: replacement(found["name"]), value)
    return value


def references(value: Any) -> Iterator[tuple[KeyPath, str]]:
    """Key path and name of every reference within a plain value, in its order."""
    for path, leaf in leaves(value):
        if isinstance(leaf, str):
            yield from ((path, name) for name in named_in(leaf))
