"""Data in one format, written in another: whole or not at all, and what is lost is counted."""

from __future__ import annotations

import importlib
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trainwright import registry
from trainwright.data.sniffing import sniff
from trainwright.data.types import RawFile, Source
from trainwright.data.writers.base import Sample
from trainwright.errors import DataError, StorageError, UserError

Format = Literal["coco", "voc", "yolo", "folder", "table"]
FORMATS: tuple[Format, ...] = ("coco", "voc", "yolo", "folder", "table")
_NEED_OBJECTS = ("coco", "voc", "yolo")


@dataclass
class Converted:
    """What was written.

    Attributes:
        path: The new folder.
        pictures: Number of pictures.
        objects: Number of objects.
        splits: Number of pictures per split, empty without splits.
        lost: What the format cannot hold, with counts.
        faults: Records of the source that could not be used: name and reason.
        aside: Files beside the source with further annotations, which were not converted.
    """

    path: Path
    pictures: int
    objects: int
    splits: dict[str, int]
    lost: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


def convert(source: str, destination: str, to: Format) -> Converted:
    """Writes the pictures and annotations of a source in another format.

    Everything is written beside the destination and moved there at the end, so that it is whole or not
    there. Nothing that exists is ever overwritten.

    Args:
        source: A recipe, whose `data.source` is read, or a path, which is looked at as by `init`.
        destination: A folder that must not exist.
        to: `coco`, `voc`, `yolo`, `folder` or `table`.

    Raises:
        UserError: The destination exists, or the format cannot hold such data at all.
        StorageError: The disk is full, or may not be written.
    """
    target = Path(destination).expanduser()
    if target.exists() or target.is_symlink():
        raise UserError(
            "it exists and is not overwritten", where=str(target), fix="name a folder that is new"
        )
    if not target.resolve().parent.is_dir():
        raise UserError("the folder that it should be made in does not exist", where=str(target.parent))
    data, aside = _source(source)
    samples, classes = samples_of(data)
    if to in _NEED_OBJECTS and not any(sample.objects is not None for sample in samples):
        raise UserError(
            f"the data have no objects, and {to} is a format for objects",
            where=source,
            why=f"the source has {', '.join(data.columns)}",
            fix="convert to folder or table",
        )
    above: dict[str, str] = getattr(data, "supercategories", {})
    lost = _write(samples, classes, target, to, above)
    if to != "coco":
        lost["supercategories of classes"] += len(above)
    lost += getattr(data, "unread", Counter())
    splits = Counter(sample.split for sample in samples if sample.split)
    return Converted(
        target,
        len(samples),
        sum(len(sample.objects) for sample in samples if sample.objects is not None),
        dict(splits),
        {what: count for what, count in lost.items() if count},
        list(data.faults),
        aside,
    )


def samples_of(source: Source) -> tuple[list[Sample], list[str]]:
    """The pictures of a source with their annotations, and the names of its classes.

    Raises:
        DataError: It has no pictures, or neither objects nor labels.
    """
    if source.columns.get("image") != "image":
        raise DataError(
            "the source has no column `image`", where="data.source", why=", ".join(source.columns)
        )
    if "objects" not in source.columns and "label" not in source.columns:
        raise DataError("the source has neither objects nor labels", where="data.source")
    split_of: dict[int, str] = {}
    for split, rows in (source.splits() or {}).items():
        split_of |= dict.fromkeys(rows.tolist(), split)
    images = source.column("image")
    objects = source.column("objects") if "objects" in source.columns else None
    labels = source.column("label") if objects is None else None
    samples = []
    for row, name in enumerate(source.sample_names()):
        image = images[row]
        if not isinstance(image, RawFile):
            raise DataError(
                "its pictures are no files", where="data.source", fix="use data that lie in files"
            )
        label = None if labels is None or labels[row] is None else str(labels[row])
        samples.append(
            Sample(name, image, split_of.get(row, ""), objects[row] if objects is not None else None, label)
        )
    named = [str(name) for name in getattr(source, "class_names", ())]
    found = [
        text for s in samples for text in (s.objects.labels if s.objects is not None else [s.label]) if text
    ]
    return samples, list(dict.fromkeys([*named, *(sorted(set(found)))]))


def _source(text: str) -> tuple[Source, list[str]]:
    """The source, and the files beside it with further annotations."""
    aside: list[str] = []
    path = Path(text).expanduser()
    spec: dict[str, Any]
    if path.suffix.lower() in (".yaml", ".yml") and _is_recipe(path):
        from trainwright import recipe

        spec = dict(recipe.load(str(path)).recipe.data.source)
    else:
        guess = sniff(path)
        aside = guess.aside
        spec = registry.validate("source", dict(guess.source))
    built: Source = registry.build("source", spec)
    return built, aside


def _is_recipe(path: Path) -> bool:
    """Whether a YAML file has a `data` section; a YOLO `data.yaml` has none."""
    try:
        return any(line.startswith("data:") for line in path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return False


def _write(
    samples: list[Sample], classes: list[str], target: Path, to: Format, above: dict[str, str]
) -> Counter[str]:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    writer = importlib.import_module(f"trainwright.data.writers.{to}")
    try:
        temporary.mkdir()
        further = (above,) if to == "coco" else ()
        lost: Counter[str] = writer.write(samples, classes, temporary, *further)
        if target.exists():
            raise UserError("it exists and is not overwritten", where=str(target))
        temporary.rename(target)
    except OSError as error:
        raise StorageError(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return lost
