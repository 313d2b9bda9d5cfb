"""Where records of delimited text begin and end, quoted line breaks included."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
_NEWLINE, _RETURN, _QUOTE = b"\n"[0], b"\r"[0], b'"'[0]
_CLOSING = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')  # possessive: half of a doubled quote closes nothing


def record_ends(data: bytes, delimiter: str | None) -> Places:
    """Positions of the line breaks that end a record, int64.

    A quote counts at the beginning of a field only, and two quotes inside a quoted field are one.

    Args:
        data: Text that begins with a record.
        delimiter: Between fields; None where quotes mean nothing, as in JSON lines.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(buffer == _NEWLINE)
    if delimiter is None or b'"' not in data:
        return breaks
    quotes = np.flatnonzero(buffer == _QUOTE)
    if not _are_regular(buffer, quotes, delimiter):
        opened, closed = _quoted_fields(data, delimiter)
        before = np.searchsorted(opened, breaks) - 1
        inside = (before >= 0) & (breaks < np.append(closed, 0)[before])
        return breaks[~inside]
    return breaks[np.searchsorted(quotes, breaks) % 2 == 0]


def last_record_end(data: bytes, delimiter: str | None) -> int:
    """Length of the leading part of `data` that holds whole records; 0 where none ends."""
    if delimiter is None or b'"' not in data:
        return data.rfind(b"\n") + 1
    ends = record_ends(data, delimiter)
    return int(ends[-1]) + 1 if len(ends) else 0


def record_lines(data: bytes, first_line: int, delimiter: str | None) -> Places:
    """Number of the line on which each record that is not empty begins, int64.

    Args:
        data: Whole records.
        first_line: Number of the line on which the first one begins.
        delimiter: As for `record_ends`.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    ends = record_ends(data, delimiter)
    if not len(ends) or ends[-1] != len(data) - 1:
        ends = np.append(ends, len(data))
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
    returns = (ends > 0) & (buffer[np.maximum(ends, 1) - 1] == _RETURN)
    full = starts[ends - starts - returns > 0]
    breaks = np.flatnonzero(buffer == _NEWLINE)
    return first_line + np.searchsorted(breaks, full)


def unclosed_quote(data: bytes, delimiter: str | None) -> int | None:
    """Line breaks before a quote that takes in all lines after it, since it is never closed; None without.

    Args:
        data: Text that begins with a record. One that ends with a record has no such quote.
        delimiter: As for `record_ends`.
    """
    if delimiter is None or b'"' not in data:
        return None
    start = last_record_end(data, delimiter)
    rest = data[start:]
    opened, _ = _quoted_fields(rest, delimiter)
    if not len(opened) or _CLOSING.match(rest, opened[-1] + 1) or b"\n" not in rest[opened[-1] :].rstrip():
        return None
    return data.count(b"\n", 0, start + int(opened[-1]))


def _are_regular(buffer: npt.NDArray[np.uint8], quotes: Places, delimiter: str) -> bool:
    """Whether every quote opens or closes a field, or is doubled inside one, so that counting is enough."""
    around = np.array([delimiter.encode()[0], _NEWLINE, _RETURN, _QUOTE], dtype=np.uint8)
    opening, closing = quotes[::2], quotes[1::2]
    before = buffer[opening[opening > 0] - 1]
    after = buffer[closing[closing < len(buffer) - 1] + 1]
    return bool(np.isin(before, around).all() and np.isin(after, around).all())


def _quoted_fields(data: bytes, delimiter: str) -> tuple[Places, Places]:
    """Positions of the opening quotes of quoted fields, and the ends of these fields."""
    opening = re.compile(rb"(?:\A|(?<=[\n\r" + re.escape(delimiter.encode()) + rb']))"')
    opened, closed, place = [], [], 0
    while (found := opening.search(data, place)) is not None:
        whole = _CLOSING.match(data, found.end())
        place = len(data) if whole is None else whole.end()
        opened.append(found.start())
        closed.append(place)
    return np.array(opened, dtype=np.int64), np.array(closed, dtype=np.int64)
