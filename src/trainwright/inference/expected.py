"""What a run takes: the types of its inputs, and how its tables are written. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainwright.recipe.schema import Data

_FILES = ("image", "audio", "video")


@dataclass(frozen=True)
class TextTable:
    """How a text table is written; None and empty where nothing is known.

    Attributes:
        encoding: Of the text.
        delimiter: Between fields.
        decimal: Before the fraction of a number.
        names: Columns of a table without a header.
        missing: Texts that mean a missing value.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    decimal: str = "."
    names: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Expected:
    """What a run takes.

    Attributes:
        types: Input -> type of its column.
        columns: Input -> columns of the source that it is made of.
        table: How its tables are written.
        bands: Number of bands of the only input's pictures, None where they are gray or in colour.
    """

    types: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    table: TextTable = field(default_factory=TextTable)
    bands: int | None = None

    @property
    def files(self) -> str | None:
        """Type of the files that alone are enough for an answer: the only input's, else None."""
        [kind, *others] = self.types.values()
        return kind if not others and kind in _FILES else None

    def of_types(self, *types: str) -> set[str]:
        """Columns of the source behind the inputs of these types."""
        return {
            part for name, kind in self.types.items() if kind in types for part in (name, *self.columns[name])
        }

    @property
    def file_columns(self) -> set[str]:
        """Columns of the source whose texts are names of files."""
        return self.of_types(*_FILES)

    def __str__(self) -> str:
        """The inputs in words."""
        return ", ".join(f"{name} ({kind})" for name, kind in self.types.items())


def expected_by(data: Data, encoding: str | None = None, processors: Path | None = None) -> Expected:
    """What a run with this data section takes.

    Args:
        data: Of its recipe.
        encoding: Of text tables; that of the run's own table when absent.
        processors: Its `processors.json`.
    """
    types = {name: column.type for name, column in data.inputs.items()}
    columns: dict[str, tuple[str, ...]] = {}
    for name, column in data.inputs.items():
        several = (column.model_extra or {}).get("columns")
        columns[name] = tuple(several) if several else (column.column or name,)
    return Expected(types, columns, _text_table(data.source, encoding), _bands(processors))


def _bands(processors: Path | None) -> int | None:
    if processors is None:
        return None
    try:
        inputs = list(json.loads(processors.read_text())["inputs"].values())
    except (OSError, ValueError, KeyError):
        return None  # the predictor says what is wrong with the file
    found: int | None = inputs[0]["state"].get("fitted", {}).get("bands") if len(inputs) == 1 else None
    return found


def _text_table(source: Mapping[str, Any], encoding: str | None) -> TextTable:
    if source["name"] != "table":
        return TextTable(encoding or "utf-8")
    return TextTable(
        encoding or source["encoding"],
        source["delimiter"],
        source["decimal"],
        tuple(source["names"] or ()) if not source["header"] else (),
        frozenset(source["missing_values"]),
    )
