"""JSON lines: one object a line, through pyarrow, or line by line where a line is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyarrow as pa
from pyarrow import json as arrow_json

from trainwright.data.tables.arrow_values import arrow_texts
from trainwright.data.tables.block import Block, Place
from trainwright.data.tables.records import record_lines
from trainwright.data.tables.text_blocks import TextFile, parsed


class JsonLinesReader:
    """Reads files with one JSON object a line; other lines are faults. A key that is absent is missing.

    Args:
        path: The file.
        missing_values: Texts that mean a missing value.
        encoding: Of the text.
    """

    def __init__(self, path: Path, missing_values: list[str], encoding: str) -> None:
        self._file = TextFile(path, None, encoding=encoding)
        self._missing = frozenset(missing_values)

    def blocks(self) -> Iterator[Block]:
        """Blocks in their order; only one where the table is small. Raises DataError."""
        yield from parsed(self._file.pieces(), self._parse)

    def as_text(self, place: Place, names: Sequence[str]) -> pa.Table:
        """Some columns of a block as they are written; texts without their quotes."""
        objects, _ = self._objects(self._file.read(place))
        return pa.table({name: arrow_texts([_text(item.get(name)) for item in objects]) for name in names})

    def lines(self, place: Place) -> npt.NDArray[Any]:
        """Number of the line of each record."""
        return record_lines(self._file.read(place), place.first_line, None)

    def _parse(self, place: Place, data: bytes) -> Block | None:
        records = sum(1 for line in data.split(b"\n") if line.strip())
        if not records:
            return None
        try:
            table = arrow_json.read_json(
                pa.BufferReader(data),
                arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            )
        except pa.ArrowInvalid:
            table = None
        # An object over several lines, or several on one, would make line numbers wrong.
        if table is not None and table.num_rows == records:
            return Block(place, self._without_missing(table))
        objects, faults = self._objects(data)
        names = list(dict.fromkeys(name for item in objects for name in item))
        columns = {name: _column([item.get(name) for item in objects]) for name in names}
        return Block(place, self._without_missing(pa.table(columns)), faults)

    def _without_missing(self, table: pa.Table) -> pa.Table:
        """Texts that mean a missing value are missing, as in a CSV file."""
        for number, field in enumerate(table.schema):
            if not pa.types.is_string(field.type):
                continue
            coded = table.column(number).combine_chunks().dictionary_encode()
            texts = coded.dictionary.to_pylist()
            if self._missing.intersection(texts):
                kept = arrow_texts([None if text in self._missing else text for text in texts])
                table = table.set_column(number, field.name, kept.cast(pa.string()).take(coded.indices))
        return table

    def _objects(self, data: bytes) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
        objects, faults = [], []
        lines = [line for line in data.split(b"\n") if line.rstrip(b"\r")]
        for number, line in enumerate(lines):
            try:
                item = json.loads(line)
            except (ValueError, RecursionError) as error:
                faults.append((number, f"no JSON: {error}"))
                continue
            if isinstance(item, dict):
                objects.append(item)
            else:
                faults.append((number, f"a JSON {type(item).__name__} where an object is expected"))
        return objects, faults


def _column(values: list[Any]) -> pa.Array:
    """Values of one key as an Arrow array; as texts where they are of several types."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return arrow_texts([_text(value) for value in values]).cast(pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
