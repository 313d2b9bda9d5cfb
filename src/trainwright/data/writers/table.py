"""A CSV table: one line per picture with its class, or one per object with its box; pictures in `images`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainwright.data.writers.base import (
    Lost,
    Sample,
    copy_picture,
    lost_crowds,
    lost_numbers,
    lost_outlines,
    number,
    picture_names,
)

_BOX = ["label", "left", "top", "right", "bottom"]


def write(samples: Sequence[Sample], classes: Sequence[str], folder: Path) -> Lost:
    """Writes pictures and `data.csv`; a picture without objects has a line without a box.

    Args:
        samples: Pictures with labels, or with objects.
        classes: Names of the classes.
        folder: An empty folder.

    Returns:
        What the format cannot hold, with counts.
    """
    lost: Lost = Lost()
    with_splits = any(sample.split for sample in samples)
    with_objects = any(sample.objects is not None for sample in samples)
    header = ["image", *(_BOX if with_objects else ["label"]), *(["split"] if with_splits else [])]
    found: set[str] = set()
    with (folder / "data.csv").open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for sample, name in zip(samples, picture_names(samples), strict=True):
            path = f"images/{name}"
            copy_picture(sample, folder / path)
            for fields in _lines(sample, lost):
                found.add(fields[0])
                writer.writerow([path, *fields, *([sample.split] if with_splits else [])])
    lost["names of classes without objects"] += len(set(classes) - found)
    return lost


def _lines(sample: Sample, lost: Lost) -> Iterator[list[str]]:
    objects = sample.objects
    if objects is None:
        yield [sample.label or ""]
        return
    lost_outlines(lost, objects)
    lost_crowds(lost, objects)
    lost_numbers(lost, objects, [])
    for label, box in zip(objects.labels, objects.boxes.tolist(), strict=True):
        yield [label, *(str(number(value)) for value in box)]
    if not len(objects):
        yield [""] * len(_BOX)
