"""Tables with the same rows: what one of them says of a row stands beside what another one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.data.sniffing.guess import Guess, split_for
from trainwright.data.sniffing.table import (
    TABLES,
    column_key,
    has_class_folders,
    table_inputs,
    table_target,
    written,
)
from trainwright.data.sniffing.values import gaps, named_target, refuse_constant, target_type
from trainwright.wording import counted

_MOST = 4  # tables that are looked at


def detect(path: Path) -> Guess | None:
    """A folder of a few tables of equal length, written alike, no two of which share a column."""
    if not path.is_dir() or has_class_folders(path):
        return None
    tables = sorted(
        item for item in path.iterdir() if item.suffix.lower() in TABLES and item.suffix != ".txt"
    )
    if not 2 <= len(tables) <= _MOST:
        return None
    from trainwright.data.sources.table import TableSource  # pyarrow takes a tenth of a second

    forms = [written(table)[0] for table in tables]
    if any(form != forms[0] for form in forms) or "names" in forms[0]:
        return None
    sources = {table: TableSource(path=str(table), **forms[0]) for table in tables}
    names = [name for source in sources.values() for name in source.columns]
    lengths = {len(source) for source in sources.values()}
    if len(lengths) > 1 or len(set(names)) < len(names) or any(s.faults for s in sources.values()):
        return None
    return _guess(sources, forms[0])


def _guess(sources: dict[Path, Any], form: dict[str, Any]) -> Guess | None:
    """The table with the target first: a column named like one, or else the widest table's."""
    main = max(sources, key=lambda table: (_names_target(sources[table]), len(sources[table].columns)))
    columns = {name: sources[main].column(name) for name in sources[main].columns}
    target = table_target(sources[main], columns, main)
    refuse_constant(columns[target], target, main)
    if gaps(columns[target]):
        return None
    others = [table for table in sources if table != main]
    rows = len(sources[main])
    notes = [
        f"{counted(len(sources), 'table')} of {counted(rows, 'row')} each with different columns, "
        "taken for the same rows in the same order",
        f"column {target!r} of {main.name} is taken for the target",
    ]
    del columns[target]
    inputs: dict[str, dict[str, Any]] = table_inputs(sources[main], columns, notes)
    for table in others:
        own = {name: sources[table].column(name) for name in sources[table].columns}
        for key, column in table_inputs(sources[table], own, notes).items():
            inputs[column_key(table.stem if key == "features" else key, inputs)] = column
    spec = {"name": "table", "path": str(main), "beside": [table.name for table in others], **form}
    kind = target_type(sources[main].column(target))
    name = target if target.isidentifier() else "target"
    targets = {name: {"type": kind} | ({} if name == target else {"column": target})}
    return Guess(spec, inputs, targets, split_for(rows), rows, notes)


def _names_target(source: Any) -> bool:
    return named_target(list(source.columns)) is not None
