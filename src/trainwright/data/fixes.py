"""The file that `data fix` writes: samples to leave out and annotations to mend. Originals stay as they are.

A JSON Lines file: a first line that says what it is, then one fix a line, by the sample's name. A recipe
reads it with `data.fixes: FILE`, whatever its source.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trainwright.data.objects import Keypoints, Objects
from trainwright.data.sources.base import LazySequence
from trainwright.data.types import Dropped, Source, Values
from trainwright.errors import DataError, StorageError, closest_sibling
from trainwright.wording import counted

_HEAD = {"trainwright": "fixes", "version": 1}
Action = Literal["leave_out", "ignore_record", "drop_objects", "clip_objects"]
_ACTIONS = ("leave_out", "ignore_record", "drop_objects", "clip_objects")


@dataclass(frozen=True)
class Fix:
    """One change of what is read.

    Attributes:
        action: `leave_out` takes the sample out of every split; `ignore_record` passes over a record that
            is no sample; `drop_objects` and `clip_objects` change the annotations of the sample.
        sample: Name of the sample or record.
        reason: Why, in words.
        objects: Places of the objects within the sample, for the last two actions.
    """

    action: Action
    sample: str
    reason: str
    objects: tuple[int, ...] = ()


class Fixes:
    """Fixes by sample.

    Args:
        fixes: Any number of them; a sample may have several.
        file: Where they come from, for messages.
    """

    def __init__(self, fixes: Iterable[Fix], file: str = "fixes") -> None:
        self.file = file
        self.left_out: dict[str, str] = {}
        self.ignored: set[str] = set()
        self.dropped: dict[str, set[int]] = defaultdict(set)
        self.clipped: dict[str, set[int]] = defaultdict(set)
        for fix in fixes:
            if fix.action == "leave_out":
                self.left_out.setdefault(fix.sample, fix.reason)
            elif fix.action == "ignore_record":
                self.ignored.add(fix.sample)
            else:
                table = self.dropped if fix.action == "drop_objects" else self.clipped
                table[fix.sample].update(fix.objects)

    def mend(self, name: str, objects: Objects) -> Objects:
        """The objects of a sample, those that are to be clipped clipped, without those to be dropped."""
        drop, clip = self.dropped.get(name, ()), self.clipped.get(name, ())
        if clip:
            height, width = objects.size
            boxes = objects.boxes.copy()
            places = [place for place in clip if place < len(objects)]
            boxes[places] = np.clip(boxes[places], 0, [width, height, width, height])
            objects = replace(objects, boxes=boxes)
        if not drop:
            return objects
        return pick(objects, [place for place in range(len(objects)) if place not in drop])


def pick(objects: Objects, places: Sequence[int]) -> Objects:
    """Some of the objects of a picture, in the order of `places`."""
    index = np.array(places, dtype=np.int64)
    points = objects.keypoints
    return Objects(
        size=objects.size,
        labels=tuple(objects.labels[place] for place in places),
        boxes=objects.boxes[index],
        segments=tuple(objects.segments[place] for place in places) if objects.segments else (),
        keypoints=None
        if points is None
        else Keypoints(points.points[index], points.names, points.mirrored, points.edges),
        crowd=None if objects.crowd is None else objects.crowd[index],
        names=[objects.names[place] for place in places] if objects.names else (),
        extra={name: values[index] for name, values in objects.extra.items()},
    )


class FixedSource:
    """A source as its fixes leave it: the same rows, mended objects, without the ignored records.

    Attributes:
        left_out: Rows that are in no split, and why.
    """

    def __init__(self, source: Source, fixes: Fixes) -> None:
        self._source, self._fixes = source, fixes
        self.columns, self.slow_columns = source.columns, source.slow_columns
        self.class_names: Sequence[str] = getattr(source, "class_names", ())
        self.class_ids: Sequence[int] = getattr(source, "class_ids", range(len(self.class_names)))
        self.faults: Sequence[tuple[str, str]] = [
            fault for fault in source.faults if fault[0] not in fixes.ignored
        ]
        rows = {name: row for row, name in enumerate(source.sample_names()) if name in fixes.left_out}
        self.left_out = [
            Dropped(row, name, "", f"{fixes.left_out[name]} ({fixes.file})") for name, row in rows.items()
        ]
        emptied = self._emptied()
        self.left_out += [
            Dropped(row, name, "", f"all of its objects are faulty ({fixes.file})")
            for row, name in emptied
            if row not in rows.values()
        ]
        self.notices: Sequence[str] = [
            *source.notices,
            *self._notes(len(source.faults) - len(self.faults), len(rows), len(emptied)),
        ]

    def _emptied(self) -> list[tuple[int, str]]:
        """Rows, with their names, that would be left without objects, and so be taken for background."""
        dropped = self._fixes.dropped
        column = next((name for name, role in self.columns.items() if role == "objects"), None)
        if column is None or not dropped:
            return []
        values = self._source.column(column)
        return [
            (row, name)
            for row, name in enumerate(self._source.sample_names())
            if name in dropped and dropped[name] >= set(range(len(values[row])))
        ]

    def __len__(self) -> int:
        return len(self._source)

    def column(self, name: str) -> Values:
        """Raw values; `Objects` are mended."""
        values = self._source.column(name)
        if not (self._fixes.dropped or self._fixes.clipped) or self.columns[name] != "objects":
            return values
        names = self._source.sample_names()
        return LazySequence(len(values), lambda row: self._fixes.mend(names[row], values[row]))

    def splits(self) -> dict[str, np.ndarray] | None:
        """The source's own splits, with the rows that are left out."""
        return self._source.splits()

    def sample_names(self) -> Sequence[str]:
        """The source's own names."""
        return self._source.sample_names()

    def files(self) -> list[Path]:
        """The source's own files."""
        return self._source.files()

    def _notes(self, ignored: int, rows: int, emptied: int) -> list[str]:
        fixes = self._fixes
        found = []
        if emptied:
            found.append(f"{counted(emptied, 'sample is', 'samples are')} left out: all objects are faulty")
        if fixes.left_out:
            found.append(f"{counted(rows, 'sample is', 'samples are')} left out by {fixes.file}")
        if rows < len(fixes.left_out):
            found.append(f"{len(fixes.left_out) - rows} samples that {fixes.file} leaves out do not exist")
        if ignored:
            found.append(f"{counted(ignored, 'record is', 'records are')} passed over by {fixes.file}")
        changed = [("dropped", fixes.dropped), ("clipped", fixes.clipped)]
        found += [
            f"{counted(sum(map(len, table.values())), 'object is', 'objects are')} {word} by {fixes.file}"
            for word, table in changed
            if table
        ]
        return found


def read_fixes(path: str) -> tuple[Fixes, str]:
    """The fixes of a file by sample, and the digest of its content.

    Raises:
        DataError: There is no such file, or it is not one that `data fix` wrote.
    """
    fixes = fixes_of(path)
    return Fixes(fixes, Path(path).name), hashlib.sha256(repr(fixes).encode()).hexdigest()


def fixes_of(path: str) -> list[Fix]:
    """The fixes of a file, in its order. Raises DataError as `read_fixes` does."""
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        if not lines or lines[0].get("trainwright") != "fixes":
            raise ValueError("the first line does not say that it holds fixes")
        return [_fix(item) for item in lines[1:]]
    except FileNotFoundError:
        near = closest_sibling(Path(path).expanduser())
        raise DataError(
            f"{path} does not exist", where="data.fixes", fix=f"did you mean {near}?" if near else ""
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} is no file of fixes",
            where="data.fixes",
            why=str(error),
            fix="write it anew with `trainwright data fix`",
        ) from error


def write_fixes(path: Path, fixes: Iterable[Fix]) -> None:
    """Writes a file of fixes whole or not at all. Raises StorageError."""
    lines = [json.dumps(_HEAD), *(json.dumps(_plain(fix), ensure_ascii=False) for fix in fixes)]
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise StorageError(path, error) from error


def _plain(fix: Fix) -> dict[str, Any]:
    plain: dict[str, Any] = {"action": fix.action, "sample": fix.sample, "reason": fix.reason}
    return plain | ({"objects": list(fix.objects)} if fix.objects else {})


def _fix(item: dict[str, Any]) -> Fix:
    if item["action"] not in _ACTIONS:
        raise ValueError(f"{item['action']!r} is no action; there are {', '.join(_ACTIONS)}")
    objects = tuple(int(place) for place in item.get("objects", ()))
    return Fix(item["action"], str(item["sample"]), str(item.get("reason", "")), objects)
