"""What the schema, and the components that a recipe names, say about a key path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from trainwright import registry
from trainwright.errors import RecipeError, closest
from trainwright.fields import ComponentOf
from trainwright.recipe.nodes import KeyPath, Node, join_path
from trainwright.recipe.schema import Column, Recipe
from trainwright.registry.checking import about_unknown_parameter
from trainwright.registry.plain_words import members
from trainwright.registry.problems import bare, step

_OPEN = (Any, object, dict, registry.UNANNOTATED)


def component_mark(annotation: Any) -> ComponentOf | None:
    """The kind of component that a value of this type is, if it is one."""
    for option in members(annotation):
        if get_origin(option) is Annotated:
            marks = [item for item in get_args(option)[1:] if isinstance(item, ComponentOf)]
            found = marks[0] if marks else component_mark(get_args(option)[0])
            if found:
                return found
    return None


def column_class(annotation: Any) -> type[Column] | None:
    """`Column` or `Target` where a value of this type is a column."""
    for option in members(bare(annotation)):
        if isinstance(option, type) and issubclass(option, Column):
            return option
    return None


def chooser(annotation: Any) -> str | None:
    """The key that chooses a component: `name`, for a column `type`; None for other values."""
    if component_mark(annotation):
        return "name"
    return "type" if column_class(annotation) else None


def chosen(annotation: Any, node: Node | None) -> str | None:
    """Name of the component at a node, or the one that is meant when nothing is said."""
    value = node.value if node else None
    if isinstance(value, dict):
        inner = value.get(chooser(annotation) or "")
        value = inner.value if inner else None
    if isinstance(value, str):
        return value
    mark = component_mark(annotation)
    return mark.default if mark else None


def described(annotation: Any, node: Node | None) -> registry.ComponentInfo | None:
    """The component at a node, or None where it cannot be found: the check of the recipe says why."""
    name = chosen(annotation, node)
    mark = component_mark(annotation)
    if name is None:
        return None
    try:
        return registry.describe(mark.kind if mark else "processor", name)
    except RecipeError:
        return None


def below(annotation: Any, node: Node | None, part: str | int) -> Any:
    """The type of a key or an item, or None where there cannot be one.

    Args:
        annotation: Type of the container.
        node: The container, as far as the recipe has it; it names components.
        part: Key or index.
    """
    if component_mark(annotation) or column_class(annotation):
        return _in_component(annotation, node, str(part))
    if any(option in _OPEN for option in members(bare(annotation)) if _hashable(option)):
        return Any
    return step(annotation, part)


def _in_component(annotation: Any, node: Node | None, part: str) -> Any:
    section = column_class(annotation)
    if part == chooser(annotation):
        return str
    if section and part in section.model_fields:
        return step(section, part)
    info = described(annotation, node)
    if info is None:
        return Any
    parameter = info.parameter(part)
    return parameter.annotation if parameter else None


def _hashable(item: Any) -> bool:
    try:
        hash(item)
    except TypeError:
        return False
    return True


def typed_part(annotation: Any, node: Node | None, part: str) -> str | int:
    """A part of a written key path: a number where it counts a list's items."""
    is_list = isinstance(node.value, list) if node else False
    if not is_list and not _is_list(annotation):
        return part
    return int(part) if part.isdecimal() else part


def _is_list(annotation: Any) -> bool:
    return any(
        get_origin(bare(option)) in (list, tuple, Sequence) or bare(option) in (list, tuple)
        for option in members(bare(annotation))
        if _hashable(bare(option))
    )


def empty_container(annotation: Any) -> dict[str, Node] | list[Node]:
    """What stands for a missing value on the way to something within it."""
    return [] if _is_list(annotation) else {}


def accepts_null(annotation: Any) -> bool:
    """Whether `null` is one of the values of this type."""
    return type(None) in members(bare(annotation)) or annotation is Any


def annotation_at(path: Sequence[str | int], tree: Node | None) -> Any:
    """The type at a key path, or None where the schema knows no such path."""
    annotation: Any = Recipe
    node = tree
    for part in path:
        annotation = below(annotation, node, part)
        if annotation is None:
            return None
        node = node.child(part) if node else None
    return annotation


def typed_path(parts: Sequence[str], tree: Node | None) -> KeyPath:
    """A written key path with numbers where it counts the items of lists."""
    annotation: Any = Recipe
    node = tree
    path: KeyPath = ()
    for part in parts:
        typed = typed_part(annotation, node, part)
        path = (*path, typed)
        annotation = None if annotation is None else below(annotation, node, typed)
        node = node.child(typed) if node else None
    return path


def is_parameter_of_any(path: KeyPath, tree: Node | None) -> bool:
    """Whether another component in the same place would have this parameter."""
    parent = annotation_at(path[:-1], tree) if path else None
    if chooser(parent) is None:
        return False
    mark = component_mark(parent)
    kind = mark.kind if mark else "processor"
    return any(registry.describe(kind, name).parameter(str(path[-1])) for name in registry.names(kind))


def known_paths(tree: Node | None, annotation: Any = Recipe, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key path that a recipe with these components and columns can set."""
    for part, inner in _children(annotation, tree):
        here = (*path, part)
        yield here
        yield from known_paths(tree.child(part) if tree else None, inner, here)


def _children(annotation: Any, node: Node | None) -> list[tuple[str | int, Any]]:
    if chooser(annotation):
        return _component_children(annotation, node)
    for option in members(bare(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return [(name, step(option, name)) for name in option.model_fields]
    value = node.value if node else None
    parts: list[str | int] = list(value) if isinstance(value, dict) else []
    parts = list(range(len(value))) if isinstance(value, list) else parts
    inner = [(part, step(annotation, part)) for part in parts]
    return [(part, found) for part, found in inner if found is not None]


def _component_children(annotation: Any, node: Node | None) -> list[tuple[str | int, Any]]:
    section = column_class(annotation)
    rows: list[tuple[str | int, Any]] = [] if section else [("name", str)]
    rows += [(name, step(section, name)) for name in section.model_fields] if section else []
    info = described(annotation, node)
    return rows + [(item.name, item.annotation) for item in info.parameters] if info else rows


def advice(path: KeyPath, tree: Node | None) -> str:
    """What to do about a key path that does not exist; empty where nothing resembles it.

    In a component that is what the component has, and which others have this parameter, unless the key
    belongs elsewhere in the recipe. Otherwise it is the key that was probably meant.
    """
    parent, node = annotation_at(path[:-1], tree), tree.find(path[:-1]) if tree else None
    info = described(parent, node) if chooser(parent) else None
    if info is None:
        guess = suggestion(path, tree)
        return f"did you mean `{guess}`?" if guess else ""
    section = column_class(parent)
    own = [item.name for item in info.parameters] + list(section.model_fields if section else ())
    near = closest(str(path[-1]), own)
    if near:
        return f"did you mean `{join_path((*path[:-1], near))}`?"
    elsewhere = None if is_parameter_of_any(path, tree) else _of_same_name(path, tree)
    return f"did you mean `{elsewhere}`?" if elsewhere else about_unknown_parameter(info, str(path[-1]))


def suggestion(path: Sequence[str | int], tree: Node | None) -> str | None:
    """The key path that was probably meant by one that does not exist."""
    same_name = _of_same_name(path, tree)
    if same_name:
        return same_name
    known = [join_path(item) for item in known_paths(tree)]
    last = str(path[-1])
    near = closest(join_path(tuple(path)), known)
    return near or next((item for item in known if closest(last, [item.rpartition(".")[2]])), None)


def _of_same_name(path: Sequence[str | int], tree: Node | None) -> str | None:
    """The key path elsewhere that ends in the same key."""
    known = [join_path(item) for item in known_paths(tree) if item[0] not in ("aliases", "tune")]
    written, last = join_path(tuple(path)), str(path[-1])
    found = [item for item in known if item.endswith(f".{written}") or item.rpartition(".")[2] == last]
    return closest(written, found) or min(found, key=len, default=None)
