"""Pascal VOC: `Annotations`, `JPEGImages`, `ImageSets/Main`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import escape

from trainwright.data.objects import Objects
from trainwright.data.sources.voc_file import FLAGS
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


def write(samples: Sequence[Sample], classes: Sequence[str], folder: Path) -> Lost:
    """Writes pictures and boxes. A box from 0 to 10 is written as the pixels 1 to 10.

    Args:
        samples: Pictures with objects.
        classes: Names of the classes.
        folder: An empty folder.

    Returns:
        What the format cannot hold, with counts.
    """
    lost: Lost = Lost()
    lists: dict[str, list[str]] = {}
    found: set[str] = set()
    (folder / "Annotations").mkdir()
    for sample, name in zip(samples, picture_names(samples), strict=True):
        assert sample.objects is not None
        copy_picture(sample, folder / "JPEGImages" / name)
        stem = str(PurePosixPath(name).with_suffix(""))
        text = _document(name, sample.objects)
        (folder / "Annotations" / f"{stem}.xml").write_text(text, encoding="utf-8")
        if sample.split:
            lists.setdefault(sample.split, []).append(stem)
        found.update(sample.objects.labels)
        lost_outlines(lost, sample.objects)
        lost_crowds(lost, sample.objects)
        lost_numbers(lost, sample.objects, FLAGS)
    lost["names of classes without objects"] += len(set(classes) - found)
    for split, stems in lists.items():
        path = folder / "ImageSets" / "Main" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")
    return lost


def _document(name: str, objects: Objects) -> str:
    height, width = objects.size
    lines = [
        "<annotation>",
        f"  <filename>{escape(name)}</filename>",
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>",
    ]
    for place, label in enumerate(objects.labels):
        left, top, right, bottom = objects.boxes[place].tolist()
        corners = {"xmin": left + 1, "ymin": top + 1, "xmax": right, "ymax": bottom}
        flags = {key: objects.extra[key][place] for key in FLAGS if key in objects.extra}
        lines += [
            "  <object>",
            f"    <name>{escape(label)}</name>",
            *(f"    <{key}>{number(value)}</{key}>" for key, value in flags.items()),
            "    <bndbox>"
            + "".join(f"<{key}>{number(value)}</{key}>" for key, value in corners.items())
            + "</bndbox>",
            "  </object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])
