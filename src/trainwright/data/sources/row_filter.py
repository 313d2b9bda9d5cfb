"""A condition on a table's rows, such as `year >= 2010 and species != 'setosa'`, without `eval`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.errors import RecipeError, closest

Mask = npt.NDArray[np.bool_]
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_WHERE = "data.source.row_filter"


def row_mask(
    condition: str, names: Sequence[str], column: Callable[[str], npt.NDArray[Any]], rows: int
) -> Mask:
    """Which rows meet a condition; any comparison with a missing value is not met.

    Grammar: column names (`col("with spaces")` too), numbers, texts, `True`, `False`, comparisons
    (`== != < <= > >=`, also chained), `in [..]`, `not in [..]`, `is None`, `is not None`, `and`, `or`,
    `not`, parentheses.

    Args:
        condition: Its text.
        names: Columns of the table.
        column: Gives a column's values `[N]`; None or NaN where missing.
        rows: N.

    Returns:
        Boolean `[N]`.

    Raises:
        RecipeError: The condition cannot be understood, or names an unknown column.
    """
    try:
        tree = ast.parse(condition.strip(), mode="eval")
        mask = _Reader(names, column, rows).condition(tree.body)
    except SyntaxError as error:
        raise RecipeError(
            f"{condition!r} is not a condition: {error.msg}",
            where=_WHERE,
            fix="write it as in Python: year >= 2010 and species != 'setosa'",
        ) from None
    except TypeError as error:
        raise RecipeError(
            f"{condition!r} compares what cannot be compared: {error}",
            where=_WHERE,
            fix="put texts in quotes and leave numbers without",
        ) from error
    return mask


class _Reader:
    """Evaluates the parts of a condition over all rows."""

    def __init__(self, names: Sequence[str], column: Callable[[str], npt.NDArray[Any]], rows: int) -> None:
        self._names, self._column, self._rows = names, column, rows

    def condition(self, node: ast.expr) -> Mask:
        """Which rows meet a condition, bool `[rows]`. Raises TypeError where it is neither true nor false."""
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            mask = self.condition(node.values[0])
            for value in node.values[1:]:
                mask = join(mask, self.condition(value))
            return mask
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.condition(node.operand)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            mask = np.ones(self._rows, dtype=bool)
            for left, op, right in zip(sides[:-1], node.ops, sides[1:], strict=True):
                mask &= self._comparison(left, op, right)
            return mask
        values = self._operand(node)
        if isinstance(values, np.ndarray) and all(value in (True, False, None) for value in values.tolist()):
            return np.equal(values, True).astype(bool)
        raise TypeError(f"{ast.unparse(node)} alone is neither true nor false")

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Mask:
        values = self._operand(left)
        if isinstance(op, ast.Is | ast.IsNot):
            if not isinstance(right, ast.Constant) or right.value is not None:
                raise _refuse(right)
            missing = self._missing(values)
            return missing if isinstance(op, ast.Is) else ~missing
        if isinstance(op, ast.In | ast.NotIn):
            try:
                choices = set(ast.literal_eval(right))
            except (ValueError, TypeError):
                raise _refuse(right) from None
            found = np.array([value in choices for value in np.broadcast_to(values, self._rows).tolist()])
            return found if isinstance(op, ast.In) else ~found & ~self._missing(values)
        other = self._operand(right)
        present = ~(self._missing(values) | self._missing(other))
        mask = np.zeros(self._rows, dtype=bool)
        first, second = (np.broadcast_to(side, self._rows)[present] for side in (values, other))
        if op.__class__ not in (ast.Eq, ast.NotEq) and _is_text(first) != _is_text(second):
            raise TypeError("a text with a number")
        mask[present] = _COMPARE[type(op)](first, second)
        return mask

    def _operand(self, node: ast.expr) -> Any:
        """A column's values `[N]`, or a constant."""
        if isinstance(node, ast.Name):
            return self._values(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "col":
            if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and not node.keywords:
                return self._values(str(node.args[0].value))
            raise _refuse(node)
        try:
            constant = ast.literal_eval(node)
        except (ValueError, TypeError):
            raise _refuse(node) from None
        if not isinstance(constant, str | int | float):
            raise _refuse(node)
        return np.array(constant, dtype=object) if isinstance(constant, str) else constant

    def _missing(self, values: Any) -> Mask:
        spread = np.broadcast_to(values, self._rows)
        if spread.dtype.kind == "f":
            return np.isnan(spread)
        if spread.dtype.kind != "O":
            return np.zeros(self._rows, dtype=bool)
        return np.array([value is None for value in spread.tolist()], dtype=bool)

    def _values(self, name: str) -> npt.NDArray[Any]:
        if name in self._names:
            return self._column(name)
        near = closest(name, self._names)
        raise RecipeError(
            f"there is no column {name!r}",
            where=_WHERE,
            why=f"the table has {', '.join(self._names)}",
            fix=f"did you mean {near!r}?" if near else "",
        )


def _is_text(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind == "O" and len(values) > 0 and isinstance(values[0], str)


def _refuse(node: ast.AST) -> RecipeError:
    return RecipeError(
        f"{ast.unparse(node)!r} cannot be part of a row filter",
        where=_WHERE,
        fix="use column names, numbers, quoted texts, comparisons, in, is None, and, or, not",
    )
