"""A condition on a table's rows, such as `year >= 2010 and species != 'setosa'`, without `eval`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trainwright.errors import RecipeError, closest

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: pc.equal,
    ast.NotEq: pc.not_equal,
    ast.Lt: pc.less,
    ast.LtE: pc.less_equal,
    ast.Gt: pc.greater,
    ast.GtE: pc.greater_equal,
}
_WHERE = "data.source.row_filter"


def row_mask(table: pa.Table, condition: str) -> pa.Array:
    """Which rows meet the condition; a comparison with a missing value is not met.

    Grammar: column names (`col("with spaces")` too), numbers, texts, `True`, `False`, `None`,
    comparisons (`== != < <= > >=`, also chained), `in [..]`, `not in [..]`, `is None`, `is not None`,
    `and`, `or`, `not`, parentheses.

    Args:
        table: The table.
        condition: The text of the condition.

    Returns:
        Boolean array `[N]` without nulls.

    Raises:
        RecipeError: The condition cannot be understood, or names an unknown column.
    """
    try:
        tree = ast.parse(condition.strip(), mode="eval")
        mask = _condition(tree.body, table)
    except SyntaxError as error:
        raise RecipeError(f"{condition!r} is not a condition: {error.msg}", where=_WHERE) from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise RecipeError(
            f"{condition!r} compares what cannot be compared: {error}",
            where=_WHERE,
            fix="put texts in quotes and leave numbers without",
        ) from error
    return pc.fill_null(mask, False)


def _condition(node: ast.expr, table: pa.Table) -> Any:
    if isinstance(node, ast.BoolOp):
        join = pc.and_kleene if isinstance(node.op, ast.And) else pc.or_kleene
        mask = _condition(node.values[0], table)
        for value in node.values[1:]:
            mask = join(mask, _condition(value, table))
        return mask
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return pc.invert(_condition(node.operand, table))
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        masks = [
            _comparison(left, op, right, table)
            for left, op, right in zip(sides[:-1], node.ops, sides[1:], strict=True)
        ]
        mask = masks[0]
        for other in masks[1:]:
            mask = pc.and_kleene(mask, other)
        return mask
    return _operand(node, table)


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, table: pa.Table) -> Any:
    if isinstance(op, ast.Is | ast.IsNot):
        if not isinstance(right, ast.Constant) or right.value is not None:
            raise _refuse(right)
        missing = pc.is_null(_operand(left, table), nan_is_null=True)
        return missing if isinstance(op, ast.Is) else pc.invert(missing)
    if isinstance(op, ast.In | ast.NotIn):
        values = _operand(left, table)
        try:
            choices = pa.array(ast.literal_eval(right), type=values.type)
        except (ValueError, TypeError):
            raise _refuse(right) from None
        found = pc.is_in(values, value_set=choices)
        return found if isinstance(op, ast.In) else pc.and_(pc.invert(found), pc.is_valid(values))
    return _COMPARE[type(op)](_operand(left, table), _operand(right, table))


def _operand(node: ast.expr, table: pa.Table) -> Any:
    if isinstance(node, ast.Name):
        return _column(node.id, table)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "col":
        if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and not node.keywords:
            return _column(str(node.args[0].value), table)
        raise _refuse(node)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise _refuse(node) from None


def _column(name: str, table: pa.Table) -> pa.ChunkedArray:
    if name not in table.column_names:
        near = closest(name, table.column_names)
        raise RecipeError(
            f"there is no column {name!r}",
            where=_WHERE,
            why=f"the table has {', '.join(table.column_names)}",
            fix=f"did you mean {near!r}?" if near else "",
        )
    return table.column(name)


def _refuse(node: ast.AST) -> RecipeError:
    return RecipeError(
        f"{ast.unparse(node)!r} cannot be part of a row filter",
        where=_WHERE,
        fix="use column names, numbers, quoted texts, comparisons, in, is None, and, or, not",
    )
