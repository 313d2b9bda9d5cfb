"""What the writers share: samples to write, names for their pictures, and what a format cannot hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from trainwright.data import run_lengths
from trainwright.data.objects import Objects, RunLengths, Segment
from trainwright.data.sources.file_set import read
from trainwright.data.types import RawFile

Lost = Counter[str]
_PLACES = 9
WHOLE = "all"
"""Name of the one part of data without splits."""


@dataclass(frozen=True)
class Sample:
    """One picture to write.

    Attributes:
        name: Its name in the source.
        file: Its file.
        split: Its split, empty where the data have none.
        objects: What is annotated in it, None where the source has no objects.
        label: Its class, None where the source has none.
    """

    name: str
    file: RawFile
    split: str
    objects: Objects | None
    label: str | None


def picture_names(samples: Sequence[Sample]) -> list[str]:
    """A file name per sample, different from all others: its own where that is so already."""
    own = [PurePosixPath(sample.file.member or sample.file.path).name for sample in samples]
    counts = Counter(name.lower() for name in own)
    stems = Counter(PurePosixPath(name).stem.lower() for name in own)
    names = []
    for place, (sample, name) in enumerate(zip(samples, own, strict=True)):
        if counts[name.lower()] == 1 and stems[PurePosixPath(name).stem.lower()] == 1:
            names.append(name)
        else:
            stem = str(PurePosixPath(sample.name).with_suffix("")).replace("/", "_").replace("\\", "_")
            names.append(f"{place:06d}_{stem}{PurePosixPath(name).suffix}")
    return names


def copy_picture(sample: Sample, path: Path) -> None:
    """Writes the picture's bytes. Raises `DataError` where it cannot be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(read(sample.file))


def lost_numbers(lost: Lost, objects: Objects, held: Iterable[str]) -> None:
    """Counts further numbers of objects that a format has no place for, zeros and gaps apart."""
    for name in set(objects.extra) - set(held) if len(objects) else ():
        values = np.asarray(objects.extra[name]).reshape(len(objects), -1)
        count = int((np.isfinite(values) & (values != 0)).any(axis=1).sum())
        if count:
            lost[f"values of {name!r}"] += count


def lost_outlines(lost: Lost, objects: Objects) -> None:
    """Counts outlines and keypoints, for formats that hold neither."""
    lost["outlines"] += sum(segment is not None for segment in objects.segments)
    if objects.keypoints is not None:
        lost["objects' keypoints"] += int((objects.keypoints.points[..., 2] > 0).any(axis=1).sum())


def lost_crowds(lost: Lost, objects: Objects) -> None:
    """Counts marks of objects that stand for a crowd."""
    if objects.crowd is not None:
        lost["marks of crowds (the objects are written)"] += int(objects.crowd.sum())


def area_of(segment: Segment | None, box: np.ndarray) -> float:
    """Area in pixels: of polygons by the shoelace formula, of masks by their pixels, else of the box."""
    if segment is None:
        return float((box[2] - box[0]) * (box[3] - box[1]))
    if isinstance(segment, RunLengths):
        return float(run_lengths.area(segment))
    if isinstance(segment, np.ndarray):
        return float(segment.sum())
    total = 0.0
    for polygon in segment:
        x, y = polygon.T
        total += abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return total


def number(value: float) -> int | float:
    """Whole numbers without a point, others to nine places: what is below came of the arithmetic."""
    exact = round(float(value), _PLACES)
    return int(exact) if exact.is_integer() and abs(exact) < 1e15 else exact
