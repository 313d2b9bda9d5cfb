"""Every component that a recipe uses, nested ones included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from trainwright import registry
from trainwright.recipe.nodes import KeyPath
from trainwright.recipe.schema import Recipe
from trainwright.recipe.slots import column_class, component_mark
from trainwright.registry.plain_words import members
from trainwright.registry.problems import bare, step


@dataclass(frozen=True)
class UsedComponent:
    """A component in its place.

    Attributes:
        path: Key path of its mapping.
        info: What is known of it.
        spec: Its parameters as plain data, without its name.
    """

    path: KeyPath
    info: registry.ComponentInfo
    spec: dict[str, Any]


def used_components(recipe: Recipe) -> list[UsedComponent]:
    """The components of a valid recipe, in its order."""
    return list(_walk(Recipe, recipe.model_dump(), ()))


def _walk(annotation: Any, value: Any, path: KeyPath) -> Iterator[UsedComponent]:
    mark, section = component_mark(annotation), column_class(annotation)
    if value is None:
        return
    if isinstance(value, dict) and (mark or section):
        kind, key = (mark.kind, "name") if mark else ("processor", "type")
        info = registry.describe(kind, value[key])
        own = {item.name: item.annotation for item in info.parameters}
        yield UsedComponent(path, info, {name: value[name] for name in own if name in value})
        for name, inner in own.items():
            yield from _walk(inner, value.get(name), (*path, name))
    if section:
        for name in section.model_fields:
            yield from _walk(step(section, name), value.get(name), (*path, name))
        return
    for part, inner in _parts(annotation, value):
        yield from _walk(inner, value[part], (*path, part))


def _parts(annotation: Any, value: Any) -> list[tuple[str | int, Any]]:
    for option in members(bare(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return [(name, step(option, name)) for name in option.model_fields]
    parts: list[Any] = []
    if component_mark(annotation) is None:
        parts = list(value) if isinstance(value, dict) else []
        parts = list(range(len(value))) if isinstance(value, list) else parts
    return [(part, step(annotation, part)) for part in parts if step(annotation, part) is not None]
