"""Tables of landmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.data.sniffing.annotated import annotated_guess
from trainwright.data.sniffing.csv_head import first_lines, tables_in
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.file_set import in_split_order
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.data.sources.kitti import numbers_of
from trainwright.data.sources.landmarks import LandmarksSource
from trainwright.data.sources.split_words import split_of_word

_FEWEST = 4  # numbers


def detect(path: Path) -> Guess | None:
    """Tables whose lines are the name of a picture and an even count of numbers."""
    tables = [item for item in tables_in(path) if _is_landmarks(first_lines(item))]
    if not tables:
        return None
    by_split = {split_of_word(item.stem.replace("-", "_").split("_")[0]): item for item in tables}
    named: Any = str(tables[0])
    if None not in by_split and len(by_split) == len(tables):
        named = {split: str(by_split[split]) for split in in_split_order(map(str, by_split))}
    source = LandmarksSource(path=named)
    points = len(source.column("objects")[0].keypoints.names)
    notes = [f"{points} landmarks per picture from {', '.join(item.name for item in tables)}"]
    return annotated_guess(source, {"name": "landmarks", "path": named}, notes)


def _is_landmarks(lines: list[list[str]]) -> bool:
    if len(lines) < 2:
        return False
    header, first = lines[0], lines[1]
    if len(first) != len(header) or len(first) < _FEWEST + 1 or len(first) % 2 == 0:
        return False
    names = [place for place, field in enumerate(first) if Path(field).suffix.lower() in IMAGE_SUFFIXES]
    return len(names) == 1 and numbers_of(first[: names[0]] + first[names[0] + 1 :]) is not None
