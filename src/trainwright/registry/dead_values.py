"""Values that another value makes dead: a component declares them in `DEAD_WHEN`.

A condition is an expression over the component's parameters: names, literals, comparisons,
`and`, `or`, `not`. It is read with `ast` and never executed as code.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from trainwright.registry.info import ComponentInfo
from trainwright.registry.plain_words import show
from trainwright.registry.problems import Problem

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


@lru_cache(maxsize=256)
def _parse(condition: str) -> ast.expr:
    return ast.parse(condition, mode="eval").body


def holds(condition: str, values: Mapping[str, Any]) -> bool:
    """Whether a condition is true of `values`.

    Raises:
        ValueError: It uses a name that is not a parameter, or syntax that conditions do not have.
    """
    return bool(_evaluate(_parse(condition), values))


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_evaluate(item, values) for item in items]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _evaluate(inner, values)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_evaluate(inner, values)
        case ast.BoolOp(op=ast.And(), values=items):
            return all(_evaluate(item, values) for item in items)
        case ast.BoolOp(op=ast.Or(), values=items):
            return any(_evaluate(item, values) for item in items)
        case ast.Compare():
            return _compare(node, values)
    raise ValueError(f"a DEAD_WHEN condition cannot have `{ast.unparse(node)}`")


def _compare(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    left = _evaluate(node.left, values)
    for sign, item in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(item, values)
        try:
            true = _COMPARE[type(sign)](left, right)
        except TypeError:  # such as None < 1: the comparison does not hold
            true = False
        if not true:
            return False
        left = right
    return True


def names_in(condition: str) -> set[str]:
    """The parameters that a condition reads."""
    return {node.id for node in ast.walk(_parse(condition)) if isinstance(node, ast.Name)}


def dead_values(info: ComponentInfo, given: Mapping[str, Any], filled: Mapping[str, Any]) -> list[Problem]:
    """Problems of values that were given, differ from their default, and have no effect.

    A given value that equals the default is no problem: nothing else would happen without it, and
    the resolved copy of a recipe gives every value.
    """
    problems = []
    for name, condition in info.dead_when.items():
        parameter = info.parameter(name)
        if name not in given or parameter is None or filled[name] == parameter.default:
            continue
        if holds(condition, filled):
            why = ", ".join(f"{key} is {show(filled[key])}" for key in sorted(names_in(condition)))
            what = f"`{name}: {show(filled[name]).strip('`')}` has no effect when {condition}"
            problems.append(Problem((name,), what, why=why, fix=f"remove `{name}`, or change the other"))
    return problems
