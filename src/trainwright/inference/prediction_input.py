"""What `predict` is given: paths, folders, tables, arrays or a pipe, as items for the predictor."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.data.sources.coco_likeness import looks_like_coco
from trainwright.data.tables.text_encoding import decoded
from trainwright.errors import DataError, closest_sibling
from trainwright.inference.coco_ids import CocoListing
from trainwright.inference.expected import Expected
from trainwright.inference.prediction_rows import (
    DELIMITERS,
    SUFFIXES,
    Named,
    csv_rows,
    json_rows,
    rows_of_file,
)

_PIPE = "standard input"
_GLOB = "*?["
_PICTURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WebP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)


@dataclass
class Items:
    """Raw values with their names.

    Attributes:
        items: A path (str), the bytes of a file, or a mapping from column to value each.
        names: What a person calls each of them.
        notices: What was left out, in words.
    """

    items: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add(self, found: Named) -> None:
        """Adds items with their names."""
        for name, item in found:
            self.names.append(name)
            self.items.append(item)


def read_items(words: Sequence[str], expected: Expected) -> Items:
    """Items and their names.

    Args:
        words: Files, folders (searched for files, sorted), tables, arrays, or one `-` for the pipe.
        expected: What the run takes.

    Raises:
        DataError: A file is missing, a folder or the pipe is empty, or a table has no rows.
    """
    items = Items()
    for word in words:
        if word == "-":
            _read_pipe(items, expected)
        else:
            _read_path(Path(word), items, expected)
    return items


def _read_path(path: Path, items: Items, expected: Expected) -> None:
    if path.is_dir():
        _read_folder(path, items, expected)
    elif not path.is_file():
        near = closest_sibling(path)
        is_glob = any(sign in path.name for sign in _GLOB)
        fix = "nothing matches the pattern; check it" if is_glob else "check the path"
        raise DataError(
            "there is no such file", where=str(path), fix=f"did you mean {near}?" if near else fix
        )
    elif expected.files == "image" and path.suffix.lower() == ".json" and looks_like_coco(path):
        items.add([(str(file), str(file)) for file in CocoListing(path).files()])
    elif path.suffix.lower() in SUFFIXES:
        items.add(rows_of_file(path, expected))
    elif expected.files is not None:
        items.add([(str(path), str(path))])
    else:
        raise DataError(
            f"a {path.suffix or 'file without suffix'} holds no rows that can be read",
            where=str(path),
            why=f"the run takes {expected}",
            fix=f"give a file that ends in one of {', '.join(SUFFIXES)}",
        )


def _read_folder(path: Path, items: Items, expected: Expected) -> None:
    """The files of a folder that the run can take; others are left out and counted."""
    from trainwright.data.sources.file_set import FileSet, examples, suffix
    from trainwright.data.sources.files import SUFFIXES as SUFFIXES_OF

    files = FileSet(path)
    kind = expected.files
    wanted = SUFFIXES_OF[kind] if kind else frozenset(SUFFIXES)
    wanted = wanted | {".npy"} if expected.bands is not None else wanted
    what = kind or "table"
    found = [name for name in files.names if suffix(name) in wanted]
    if not found:
        held = f"it holds {examples(files.names)}" if files.names else "it is empty"
        raise DataError(f"the folder holds no {what} files, by their names", where=str(path), why=held)
    others = [name for name in files.names if suffix(name) not in wanted]
    if others:
        items.notices.append(
            f"{path}: {len(others)} of {len(files.names)} files are no {what} by name and are left out: "
            f"{examples(others)}"
        )
    if kind is None and {suffix(name) for name in found} == {".npy"}:
        items.add(rows_of_file(path, expected))  # one array a column
    elif kind is None:
        for name in found:
            items.add(rows_of_file(path / name, expected))
    else:
        items.add([(str(path / name), str(path / name)) for name in found])


def _read_pipe(items: Items, expected: Expected) -> None:
    """A list of paths, one a line; a table as CSV or JSON; or one picture."""
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise DataError("nothing came through the pipe", where=_PIPE)
    picture = picture_format(data)
    if picture is not None and expected.files == "image":
        items.add([("stdin", data)])
        return
    if picture is not None:
        raise _unknown_kind(f"it is a {picture} picture, and the run takes {expected}")
    try:
        text = decoded(data, expected.table.encoding, _PIPE)
    except DataError as error:
        raise _unknown_kind(error.what) from error
    _read_text(text, items, expected)


def _read_text(text: str, items: Items, expected: Expected) -> None:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    first = lines[0][1]
    if os.path.exists(first) or (expected.files is not None and not _is_header(first, expected)):  # noqa: PTH110
        missing = [(number, line) for number, line in lines if not os.path.exists(line)]  # noqa: PTH110
        if missing:
            number, line = missing[0]
            more = f"{len(missing)} of {len(lines)} lines name no file" if len(missing) > 1 else ""
            raise DataError(f"there is no such file (line {number} of {_PIPE})", where=line[:200], why=more)
        for _, line in lines:
            _read_path(Path(line), items, expected)
    elif first.lstrip()[:1] in ("[", "{"):
        items.add(json_rows(text, "stdin"))
    elif len(lines) == 1 and not any(sign in first for sign in DELIMITERS):
        raise DataError(f"there is no such file (line {lines[0][0]} of {_PIPE})", where=first[:200])
    else:
        items.add(csv_rows(text, "stdin", expected))


def _is_header(line: str, expected: Expected) -> bool:
    """Whether a line names a column that the run reads, or begins JSON."""
    delimiter = max(DELIMITERS, key=line.count)
    names = {field.strip(' "') for field in line.split(delimiter)}
    return bool(names & expected.file_columns) or line.lstrip()[:1] in ("[", "{")


def _unknown_kind(why: str) -> DataError:
    return DataError(
        f"{_PIPE} is neither a list of paths nor CSV/JSON",
        why=why,
        fix="pipe the names of files, one a line, or the rows of a table",
    )


def picture_format(data: bytes) -> str | None:
    """The format of a picture file by its first bytes, None for anything else."""
    return next((name for start, name in _PICTURES if data.startswith(start)), None)
