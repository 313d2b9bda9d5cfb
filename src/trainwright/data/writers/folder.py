"""Class folders: `SPLIT/CLASS/picture`, or `CLASS/picture` where there are no splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainwright.data.writers.base import (
    Lost,
    Sample,
    copy_picture,
    lost_crowds,
    lost_numbers,
    lost_outlines,
    picture_names,
)
from trainwright.errors import DataError


def write(samples: Sequence[Sample], classes: Sequence[str], folder: Path) -> Lost:
    """Writes each picture into the folder of its class.

    A picture with objects has a class where all of them are of one; others are left out and counted.

    Args:
        samples: Pictures with labels, or with objects.
        classes: Names of the classes.
        folder: An empty folder.

    Returns:
        What the format cannot hold, with counts.

    Raises:
        DataError: A class can be no folder.
    """
    lost: Lost = Lost()
    found: set[str] = set()
    for sample, name in zip(samples, picture_names(samples), strict=True):
        label = sample.label
        if sample.objects is not None:
            labels = set(sample.objects.labels)
            label = next(iter(labels)) if len(labels) == 1 else None
            lost["boxes"] += len(sample.objects)
            lost_outlines(lost, sample.objects)
            lost_crowds(lost, sample.objects)
            lost_numbers(lost, sample.objects, [])
        if label is None:
            lost["pictures that are not of exactly one class, left out"] += 1
            continue
        if label in ("", ".", "..") or "/" in label or "\0" in label or label.startswith("."):
            raise DataError(f"class {label!r} can be no folder", where=sample.name, fix="rename the class")
        found.add(label)
        copy_picture(sample, folder / sample.split / label / name)
    lost["classes without a picture"] += len(set(classes) - found)
    return lost
