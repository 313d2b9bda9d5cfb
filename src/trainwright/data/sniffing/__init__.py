"""Looks at data that nobody has described, and says how a recipe would read them, and why."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from trainwright.data.sniffing.guess import Guess, Undescribed
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.errors import DataError

__all__ = ["FORMATS", "Guess", "Undescribed", "sniff"]

FORMATS = (
    "archive",
    "idx",
    "ucr",
    "audio",
    "video",
    "wfdb",
    "kitti",
    "voc",
    "coco",
    "yolo",
    "masks",
    "landmarks",
    "object_table",
    "paired",
    "restoration",
    "image_text",
    "arrays",
    "series",
    "joined_tables",
    "table",
    "named_files",
    "webdataset",
    "class_folders",  # takes every folder that is left, and says what is missing in it
)
"""Modules of this package, asked in this order. Each has `detect(path) -> Guess | None`."""


_PARTS = {
    "the pictures and what is known of them": IMAGE_SUFFIXES,
    "the pictures and their XML files": (".xml",),
    "the sounds": (".wav", ".flac", ".mp3", ".ogg"),
    "the clips": (".mp4", ".avi", ".mov", ".mkv", ".webm"),
}
"""What a single file is a part of -> its suffixes."""


def sniff(path: Path, encoding: str | None = None) -> Guess:
    """Describes a file or a folder: the first format that knows it does.

    Args:
        path: A folder, an archive, a table, or arrays.
        encoding: Of a text table, where it is not UTF-8.

    Raises:
        DataError: Nothing that can be read was found; says what was looked for.
    """
    if not path.exists():
        raise DataError("there are no such data", where=str(path), fix="give the path of the data")
    if encoding is not None:
        return _table_in(path, encoding)
    for name in FORMATS:
        guess = _detector(name)(path)
        if guess is not None:
            return guess
    suffix = path.suffix.lower()
    whole = next((kind for kind, suffixes in _PARTS.items() if suffix in suffixes), None)
    if whole is not None:
        raise Undescribed(
            f"a single {suffix} is no data set",
            where=str(path),
            fix=f"give the folder with {whole}, such as {path.absolute().parent}",
        )
    raise DataError(
        f"a {suffix or 'file without suffix'} is no kind of data that is known",
        where=str(path),
        why="known are folders, .zip, .tar, .csv, .tsv, .jsonl, .parquet, .npz, .npy, .ts, .json of COCO, "
        "and folders of pictures, perhaps with XML or text files, idx files, sounds, clips or WFDB records",
        fix="write the recipe by hand with a source of your own: {name: 'module:Class'}",
    )


def _detector(name: str) -> Callable[[Path], Guess | None]:
    """Imported only when the formats before it have declined."""
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("Callable[[Path], Guess | None]", module.detect)


def _table_in(path: Path, encoding: str) -> Guess:
    """A text table that is written in an encoding."""
    from trainwright.data.sniffing.table import detect
    from trainwright.data.tables.text_encoding import codec_name

    codec_name(encoding, "--encoding")
    guess = detect(path, encoding)
    if guess is None:
        raise DataError(
            "only text tables have an encoding", where=str(path), fix="leave --encoding out, or give a table"
        )
    return guess
