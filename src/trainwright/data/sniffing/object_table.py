"""Tables with one box per line."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.annotated import annotated_guess
from trainwright.data.sniffing.csv_head import first_lines, tables_in
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.object_table import ObjectTableSource, is_object_table


def detect(path: Path) -> Guess | None:
    """A CSV file whose header names picture, class and four corners, or a folder with one."""
    for table in tables_in(path):
        lines = first_lines(table)
        if lines and is_object_table(lines[0]):
            source = ObjectTableSource(path=str(table))
            return annotated_guess(source, {"name": "object_table", "path": str(table)}, ["one box per line"])
    return None
