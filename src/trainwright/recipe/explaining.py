"""What a key, a component or one of its parameters means, as text for a terminal."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from trainwright import registry
from trainwright.errors import RecipeError, closest
from trainwright.recipe.nodes import GIVEN, KeyPath, Node, from_plain, join_path, split_path
from trainwright.recipe.rules import DEAD_WHEN
from trainwright.recipe.schema import Recipe
from trainwright.recipe.slots import (
    annotation_at,
    chooser,
    chosen,
    column_class,
    component_mark,
    known_paths,
    typed_path,
)
from trainwright.recipe.writing import flow
from trainwright.registry.checking import is_plain, plain
from trainwright.registry.info import ComponentInfo, Parameter
from trainwright.registry.plain_words import describe_type, members
from trainwright.registry.problems import bare, step
from trainwright.registry.tables import FOREIGN, POSITIONAL
from trainwright.registry.timm_catalogue import is_timm_name

_CALLED = {
    "loss": "A function is called with (output, target) and gives a value per sample [B].",
    "metric": "A function is called with (output, target) of a whole split and gives numbers by name.",
}
"""How components of one's own are called, of kinds whose classes are made first."""


def explain(what: str, tree: Node | None = None) -> str:
    """Explains a key path (`train.epochs`), a kind (`optimizer`) or a component (`optimizer.adamw`).

    Args:
        what: Key path, kind, `kind.name` or `kind.name.parameter`.
        tree: A recipe, whose components the key paths are then looked up in.

    Raises:
        RecipeError: There is no such thing; the closest one is named.
    """
    kind, dot, rest = what.partition(".")
    if kind in registry.kinds():
        if not dot:
            return _kind(kind, tree)
        found = _component(kind, rest)
        if found:
            return found
    if what in Recipe.read_before:
        return f"{what}: text; optional\n  {Recipe.read_before[what]}"
    path = split_path(what)
    found = _key(path, tree)
    if found is None:
        raise _unknown(what, tree)
    return found


def _unknown(what: str, tree: Node | None) -> RecipeError:
    known = [*map(join_path, known_paths(tree)), *Recipe.read_before, *registry.kinds()]
    known += [f"{kind}.{name}" for kind in registry.kinds() for name in registry.names(kind)]
    ending = [item for item in known if item.endswith(f".{what}")]
    guess = closest(what, known) or (ending[0] if ending else None)
    fix = f"did you mean `{guess}`?" if guess else f"kinds: {', '.join(registry.kinds())}"
    return RecipeError(f"there is nothing called `{what}`", fix=fix)


def _kind(kind: str, tree: Node | None) -> str:
    names = registry.names(kind)
    width = max(map(len, names), default=0)
    lines = [f"{kind}: components that ship"]
    lines += [f"  {name:<{width}}  {registry.describe(kind, name).summary}".rstrip() for name in names]
    if kind in FOREIGN:
        lines.append(f"  and any of timm's {len(registry.timm_names())} models, by its name there")
    lines.append("or your own class or function: module:attribute")
    if kind in _CALLED:
        made = "A class is made with the recipe's parameters, and its instance called so: docs/losses.md"
        lines += [_CALLED[kind], made]
    if POSITIONAL[kind]:
        lines.append(f"The tool fills, where the signature has them: {', '.join(POSITIONAL[kind])}")
    key = _key((kind,), tree) if kind in Recipe.model_fields else None
    return "\n".join(lines) + (f"\n\n{key}" if key else "")


def _component(kind: str, rest: str) -> str | None:
    """`adamw`, `adamw.lr`, or a name with dots in it; None where there is no such component."""
    name, _, parameter = rest.rpartition(".")
    if _exists(kind, rest) and not (":" in rest and "." in rest.partition(":")[2]):
        return component_text(registry.describe(kind, rest))
    if not _exists(kind, name):
        return None
    info = registry.describe(kind, name)
    item = info.parameter(parameter)
    return "\n".join(parameter_lines(item, info, f"{kind}.{rest}")) if item else None


def _exists(kind: str, name: str) -> bool:
    return name in registry.names(kind) or ":" in name or (kind in FOREIGN and is_timm_name(name))


def component_text(info: ComponentInfo) -> str:
    """A component's description and every parameter that a recipe can set."""
    lines = [f"{info.kind}.{info.name}  ({info.target})"]
    lines += [f"  {line}".rstrip() for line in without_arguments(info.doc)]
    lines += ["", "Parameters:" if info.parameters else "It has no parameters."]
    for item in info.parameters:
        first, *more = parameter_lines(item, info, item.name)
        lines += [f"  {first}", *(f"  {line}" for line in more)]
    if info.positional:
        lines.append(f"Filled by the tool: {', '.join(info.positional)}")
    return "\n".join(lines)


def without_arguments(doc: str) -> list[str]:
    """Lines of a docstring up to its sections of arguments and the like."""
    lines = doc.strip().splitlines()
    cuts = [index for index, line in enumerate(lines) if line in ("Args:", "Returns:", "Raises:")]
    return "\n".join(lines[: min(cuts, default=len(lines))]).strip().splitlines()


def parameter_lines(item: Parameter, info: ComponentInfo, label: str) -> list[str]:
    """Type and default of a parameter, what it means, and when it has no effect, a line each."""
    shown = flow(plain(item.default)) if is_plain(item.default) else repr(item.default)
    default = "required" if item.required else f"default {shown}"
    lines = [f"{label}: {describe_type(item.annotation)}; {default}"]
    lines += [f"  {item.doc}"] if item.doc else []
    dead = info.dead_when.get(item.name)
    return [*lines, f"  no effect when {dead}"] if dead else lines


def _key(path: tuple[str, ...], tree: Node | None) -> str | None:
    tree = tree or from_plain({}, GIVEN)
    typed = typed_path(path, tree)
    annotation = annotation_at(typed, tree)
    parent = annotation_at(typed[:-1], tree)
    info = _owner(parent, tree.find(typed[:-1]), str(typed[-1]))
    if isinstance(info, list):
        return "\n".join(info) or None
    if annotation is None:
        return None
    label = join_path(typed)
    if isinstance(info, ComponentInfo):
        item = info.parameter(str(typed[-1]))
        return "\n".join(parameter_lines(item, info, f"{label} ({info.name})")) if item else None
    lines = _field_lines(label, annotation, _field(parent, str(typed[-1])))
    dead = DEAD_WHEN.get(label) or DEAD_WHEN.get(join_path(_wild(typed)))
    return "\n".join([*lines, f"  no effect when {dead}"] if dead else lines)


def _wild(path: KeyPath) -> KeyPath:
    return tuple("*" if index == 2 and path[0] == "data" else part for index, part in enumerate(path))


def _owner(parent: Any, node: Node | None, part: str) -> ComponentInfo | list[str] | None:
    """The component that a parameter belongs to, or the lines of all that have it, or None for a key."""
    section = column_class(parent)
    if chooser(parent) in (None, part) or (section and part in section.model_fields):
        return None
    mark = component_mark(parent)
    kind = mark.kind if mark else "processor"
    name = chosen(parent, node)
    named = node is not None or (mark is not None and name is not None)
    if named and name is not None:
        info = registry.describe(kind, name)
        if info.parameter(part):
            return info
    lines: list[str] = []
    for other in registry.names(kind):
        info = registry.describe(kind, other)
        item = info.parameter(part)
        lines += parameter_lines(item, info, f"{kind}.{other}.{part}") if item else []
    return lines


def _field(parent: Any, part: str) -> FieldInfo | None:
    for option in members(bare(parent)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option.model_fields.get(part)
    return None


def _field_lines(label: str, annotation: Any, field: FieldInfo | None) -> list[str]:
    default = field.default if field else PydanticUndefined
    section = _section(annotation)
    shown = "" if default is PydanticUndefined else _default(default)
    shown = "; required" if field and field.is_required() else shown
    lines = [f"{label}: {describe_type(annotation)}{shown}"]
    lines += [f"  {field.description}"] if field and field.description else []
    mark = component_mark(annotation) or component_mark(step(annotation, 0))
    if mark:
        lines.append(f"  `trainwright explain {mark.kind}` lists what there is")
    if section:
        lines += [f"  {line}" for line in (section.__doc__ or "").strip().splitlines()[:1]]
        lines += [f"    {_one_line(name, item)}" for name, item in section.model_fields.items()]
    return lines


def _section(annotation: Any) -> type[BaseModel] | None:
    for option in members(bare(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _one_line(name: str, item: FieldInfo) -> str:
    section = _section(item.annotation)
    own = (section.__doc__ or "").split("\n", 1)[0] if section else ""
    said = item.description or own
    return f"{name}: {said}" if said else name


def _default(value: Any) -> str:
    if isinstance(value, BaseModel):
        return ""
    return f"; default {flow(value)}" if is_plain(value) else ""
