"""Names of columns as names of modules."""

from __future__ import annotations

from collections.abc import Iterable


def module_names(columns: Iterable[str]) -> dict[str, str]:
    """Column -> key in a `ModuleDict`, which refuses dots while a column may be called anything.

    Unlike columns have unlike keys: of `a.b` and `a_b` the later one gets a line more at its end.
    """
    names: dict[str, str] = {}
    for column in columns:
        name = column.replace(".", "_")
        while name in names.values():
            name += "_"
        names[column] = name
    return names
