"""Other data for a run than those it was trained on: at another place, or read by another source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.errors import DataError, closest_sibling

if TYPE_CHECKING:
    from trainwright.recipe.schema import Column, Data

_WHERE = "--data"


def other_data(data: Data, path: Path) -> dict[str, Any]:
    """Overrides with which a run's recipe reads the data at a path.

    Args:
        data: The data section of the run's recipe.
        path: A folder, an archive or a file.

    Returns:
        Key path -> value: another place for the run's own source; where it has none, a source by what
        is found at the path, with the columns that fit the run's.

    Raises:
        DataError: Nothing at the path fits the run's columns; says which one lacks what.
    """
    if not path.exists():
        near = closest_sibling(path)
        fix = f"did you mean {near}?" if near else "give a folder, an archive or a file that is there"
        raise DataError(f"{path} does not exist", where=_WHERE, fix=fix)
    key = next((name for name in ("root", "path") if name in data.source), None)
    if key is None:
        return _sniffed(data, path)
    overrides: dict[str, Any] = {f"data.source.{key}": str(path.absolute())}
    if data.source["name"] == "folder":
        overrides["data.source.splits"] = "ignore"
    return overrides


def _sniffed(data: Data, path: Path) -> dict[str, Any]:
    from trainwright.data.sniffing import sniff

    guess = sniff(path)
    found = {**guess.inputs, **guess.targets}
    source = dict(guess.source)
    if source["name"] == "folder":
        source["splits"] = "ignore"
    overrides: dict[str, Any] = {"data.source": source}
    for group, columns in (("inputs", data.inputs), ("targets", data.targets)):
        there = guess.inputs if group == "inputs" else guess.targets
        for name, column in columns.items():
            overrides |= _matched(f"data.{group}.{name}", name, column, there, found, path)
    return overrides


def _matched(
    key: str,
    name: str,
    column: Column,
    there: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Mapping[str, Any]],
    path: Path,
) -> dict[str, Any]:
    """The override that makes a column of the run read the one that fits it; empty where it does already."""
    joined = (column.model_extra or {}).get("columns")
    if joined:
        known = {part for item in found.values() for part in item.get("columns") or ()} | set(found)
        lacking = [part for part in joined if part not in known]
        if not lacking:
            return {}
        raise _unfit(key, f"the columns {', '.join(lacking)}", found, path)
    own = column.column or name
    if own in found:
        return {}
    alike = [other for other, item in there.items() if item["type"] == column.type]
    if len(alike) != 1:
        raise _unfit(key, f"a column {own!r}, or a single one of type {column.type}", found, path)
    return {f"{key}.column": there[alike[0]].get("column") or alike[0]}


def _unfit(key: str, wanted: str, found: Mapping[str, Mapping[str, Any]], path: Path) -> DataError:
    shown = ", ".join(f"{name} ({item['type']})" for name, item in found.items())
    return DataError(
        f"the data do not fit the run: {key} needs {wanted}",
        where=f"{_WHERE} {path}",
        why=f"there are {shown or 'no columns'}",
        fix="name the columns as the run does, or evaluate from Python on data in memory",
    )
