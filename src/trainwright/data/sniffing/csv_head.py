"""The first lines of CSV files, by which their kind is told."""

from __future__ import annotations

import csv
from pathlib import Path

_LINES = 5


def tables_in(path: Path) -> list[Path]:
    """The CSV file itself, or those of a folder, in order."""
    if path.is_dir():
        return sorted(item for item in path.iterdir() if item.suffix.lower() == ".csv" and item.is_file())
    return [path] if path.suffix.lower() == ".csv" else []


def first_lines(path: Path) -> list[list[str]]:
    """Fields of the header and a few lines; empty where the file is no table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            return [fields for fields, _ in zip(reader, range(_LINES), strict=False)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
