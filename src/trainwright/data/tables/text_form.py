"""How delimited text is written, told from its first lines: delimiter, decimal comma, header or none."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainwright.data.tables.block import kind_of, open_bytes

DELIMITERS = ",;\t|"
_LOOKED_AT = 1 << 16  # bytes
_RECORDS = 50
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class TextForm:
    """How a table is written.

    Attributes:
        delimiter: Between fields.
        decimal: Before the fraction of a number.
        header: Whether the first record names the columns.
        width: Fields of a record.
    """

    delimiter: str
    decimal: str
    header: bool
    width: int


def default_delimiter(path: Path) -> str:
    """What stands between fields where nobody says so: a tab in `.tsv` and `.tab`, else a comma."""
    return "\t" if kind_of(path) in (".tsv", ".tab") else ","


def form_of_file(path: Path, encoding: str = "utf-8") -> TextForm:
    """The form of a file of text, from its first 64 KiB. Raises OSError."""
    with open_bytes(path) as file:
        data = file.read(_LOOKED_AT)
    whole = len(data) < _LOOKED_AT
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    return form_of(text if whole else text.rpartition("\n")[0], default_delimiter(path))


def form_of(text: str, default: str = ",") -> TextForm:
    """The form of a text of whole records.

    The delimiter is the one that gives every record the same number of fields, and the most of those;
    then the one that gives most records the same number.

    Args:
        text: Records.
        default: Delimiter that is taken where no other one is better.
    """
    found = {sign: _records(text, sign) for sign in dict.fromkeys([default, *DELIMITERS])}
    delimiter = max(found, key=lambda sign: _agreement(found[sign]))
    records = found[delimiter]
    rows = records[1:]
    decimal = "," if delimiter != "," and _has_decimal_commas(rows or records) else "."
    return TextForm(delimiter, decimal, _has_header(records, decimal), len(records[0]) if records else 0)


def _records(text: str, delimiter: str) -> list[list[str]]:
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if record:
                records.append(record)
            if len(records) == _RECORDS:
                break
    except csv.Error:
        pass  # what was read until there is enough to guess from; the table's reader tells the error
    return records


def _agreement(records: Sequence[Sequence[str]]) -> tuple[bool, float, int]:
    """How well records agree on a number of fields above one: the larger, the better."""
    counts = Counter(map(len, records))
    counts.pop(1, None)
    if not counts:
        return (False, 0.0, 0)
    width, agreeing = counts.most_common(1)[0]
    share = agreeing / len(records)
    return (share == 1, share if share < 1 else 1.0, width)


def _has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column holds numbers, and some of them have a comma before the fraction."""
    for place in range(max(map(len, rows), default=0)):
        values = [row[place] for row in rows if place < len(row) and row[place].strip()]
        with_comma = [value for value in values if _COMMA_NUMBER.fullmatch(value)]
        if with_comma and all(_NUMBER.fullmatch(value) or _COMMA_NUMBER.fullmatch(value) for value in values):
            return True
    return False


def _has_header(records: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether the first record is one of names.

    It is none where it has numbers above numbers, and what else is in it stands again further down in the
    same column. Columns that are counted (0, 1, 2 ... or years) are names.
    """
    if len(records) < 2:
        return True
    first, rows = records[0], records[1:]
    numbers = [place for place, field in enumerate(first) if _is_number(field, decimal)]
    if not numbers or _is_counted([first[place].strip() for place in numbers]):
        return True
    for place, field in enumerate(first):
        below = [row[place] for row in rows if place < len(row)]
        if place in numbers:
            if not any(_is_number(value, decimal) for value in below):
                return True
        elif field.strip() and field not in below:
            return True
    return False


def _is_counted(fields: Sequence[str]) -> bool:
    if not fields[0].isdecimal():
        return False
    start = int(fields[0])
    years = len(fields) > 1 and 1900 <= start <= 2100
    return (start < 2 or years) and list(fields) == [str(start + n) for n in range(len(fields))]


def _is_number(field: str, decimal: str) -> bool:
    return bool(_NUMBER.fullmatch(field.replace(",", ".") if decimal == "," else field))
