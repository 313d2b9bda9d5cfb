"""Another component in place of one: its parameters do not fit any more and are dropped, loudly."""

from __future__ import annotations

from typing import Any

from trainwright.recipe.nodes import KeyPath, Node, Origin, join_path
from trainwright.recipe.slots import accepts_null, below, chooser, chosen, column_class


def promote(annotation: Any, node: Node) -> None:
    """Writes a component's bare name as the mapping that it stands for."""
    key = chooser(annotation)
    if key and isinstance(node.value, str):
        node.value = {key: Node(node.value, node.origin)}


def choose(annotation: Any, node: Node, name: str, origin: Origin, path: KeyPath) -> list[str]:
    """Sets the name of the component at `node`; drops its parameters when it is another one.

    Returns:
        A notice about what was dropped, if anything was.
    """
    before = chosen(annotation, node)
    promote(annotation, node)
    key = chooser(annotation) or "name"
    if not isinstance(node.value, dict):
        node.value = {}
    items: dict[str, Node] = node.value
    dropped = {} if name == before else _parameters(annotation, items)
    kept = {part: item for part, item in items.items() if part not in dropped and part != key}
    node.value = {key: Node(name, origin), **kept}
    return _notice(path, before, name, dropped)


def dropped_by(annotation: Any, old: Node | None, new: Node, path: KeyPath) -> list[str]:
    """The notice for a whole mapping that takes the place of another component's."""
    before, after = chosen(annotation, old), chosen(annotation, new)
    if old is None or not isinstance(old.value, dict) or before == after:
        return []
    again = new.value if isinstance(new.value, dict) else {}
    lost = {part: item for part, item in _parameters(annotation, old.value).items() if part not in again}
    return _notice(path, before, after or "", lost)


def _parameters(annotation: Any, items: dict[str, Node]) -> dict[str, Node]:
    """The keys that belong to the component, not to the column around it."""
    section = column_class(annotation)
    own = set(section.model_fields) if section else {"name"}
    return {part: item for part, item in items.items() if part not in own}


def _notice(path: KeyPath, before: str | None, after: str, dropped: dict[str, Node]) -> list[str]:
    if not dropped:
        return []
    mark = ", ".join(f"{part} ({item.origin})" for part, item in dropped.items())
    return [f"{join_path(path)}: {after} takes the place of {before}, so {mark} no longer applies"]


def merge(base: Node, child: Node, annotation: Any, path: KeyPath = ()) -> tuple[Node, list[str]]:
    """A recipe on top of the one that it extends.

    Mappings merge key by key, everything else is replaced; another component drops the parameters
    of the one before, `null` removes a key that cannot be null.

    Returns:
        The merged nodes, and notices about what was dropped.
    """
    key = chooser(annotation)
    base, child = base.copy(), child.copy()
    notices: list[str] = []
    if key:
        promote(annotation, base)
        promote(annotation, child)
        named = child.child(key) if isinstance(base.value, dict) else None
        if named is not None and isinstance(named.value, str):
            notices += choose(annotation, base, named.value, named.origin, path)
    if not isinstance(base.value, dict) or not isinstance(child.value, dict):
        return child, notices
    for part, item in child.value.items():
        inner = below(annotation, base, part)
        if item.value is None and not accepts_null(inner):
            base.value.pop(part, None)
        elif part in base.value:
            base.value[part], more = merge(base.value[part], item, inner, (*path, part))
            notices += more
        else:
            base.value[part] = item
    return base, notices
