"""Parameters of a user's component that its code takes and never reads, so that no value of them matters."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection
from functools import lru_cache
from typing import Any

# What reads names without writing them.
_INDIRECT = frozenset(
    {"locals", "vars", "eval", "exec", "_getframe", "currentframe", "stack", "save_hyperparameters"}
)


def unread_parameters(component: Any, names: Collection[str]) -> dict[str, str]:
    """Those of `names` that the body of a function, or of a class's own `__init__`, never mentions.

    Where that cannot be told by its source (none is there, a decorator stands before it, it looks at its
    names in other ways) all count as read.

    Args:
        component: A class or function.
        names: Of its parameters.

    Returns:
        Name -> `file:line` of the signature.
    """
    called = component
    if isinstance(component, type):
        called = component.__dict__.get("__init__")
    if not inspect.isfunction(called) or hasattr(called, "__wrapped__"):
        return {}
    found = _mentioned(called)
    if found is None:
        return {}
    mentioned, place = found
    return {name: place for name in names if name not in mentioned}


@lru_cache(maxsize=128)
def _mentioned(called: Any) -> tuple[frozenset[str], str] | None:
    """Names that a function's body reads, and its place; None where that cannot be told."""
    try:
        lines, first = inspect.getsourcelines(called)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    body = tree.body[0] if tree.body else None
    if not isinstance(body, ast.FunctionDef) or body.decorator_list:
        return None
    inside = [node for statement in body.body for node in ast.walk(statement)]
    names = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    attributes = {node.attr for node in inside if isinstance(node, ast.Attribute)}
    if (names | attributes) & _INDIRECT or _is_stub(body):
        return None
    return frozenset(names), f"{called.__code__.co_filename}:{first}"


def _is_stub(body: ast.FunctionDef) -> bool:
    """Whether it does nothing at all, as the signature of something that is made elsewhere."""
    return all(isinstance(item, ast.Expr | ast.Pass | ast.Raise) for item in body.body)
