"""What the guesses about annotated pictures share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from trainwright.data.sniffing.guess import Guess, missing_split, named_splits, training_rows
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.annotated import AnnotatedSource
from trainwright.data.sources.base import BaseSource
from trainwright.data.types import Values
from trainwright.wording import counted

_COCO_POINTS, _MIDDLING = 17, 0.05  # of how certain each point is: COCO tells it for its own points alone
_SIDE = 320  # pixels to which pictures of different sizes are fitted, in whole


def whole_picture(values: Values) -> tuple[dict[str, Any], str]:
    """An image column that cuts nothing off, since objects lie at the edges too; and why that size."""
    column, why = image_column(values)
    if column.get("resize") != "crop":
        return column, why
    return (
        {"type": "image", "size": _SIDE, "resize": "letterbox"},
        f"{why.rpartition(';')[0] or why}; fitted whole into {_SIDE}x{_SIDE}",
    )


def annotated_guess(source: AnnotatedSource, spec: dict[str, Any], notes: Sequence[str]) -> Guess:
    """A guess with one image input and its objects as target.

    Args:
        source: The source, built.
        spec: The recipe's `data.source`.
        notes: What was found, without the counts.
    """
    image, why = whole_picture(source.pictures)
    objects: Counter[str] = Counter()
    for item in source.column("objects"):
        crowd = item.crowd if item.crowd is not None else [False] * len(item)
        objects.update(label for label, many in zip(item.labels, crowd, strict=True) if not many)
    # Named all, since a class may occur outside of the training split only.
    target: dict[str, Any] = {
        "type": source.kind,
        "column": "objects",
        "classes": list(source.class_names),
    }
    classes = counted(len(objects), "class", "classes")
    held = f"{counted(len(source), 'picture')} with {counted(objects.total(), 'object')} of {classes}"
    said = [*notes, held]
    crowds = sum(len(item) for item in source.column("objects")) - objects.total()
    if any(set(item.labels) - set(source.class_names) for item in source.column("objects")):
        target["others"] = "drop"  # regions to ignore have a name that is no class
    if crowds:
        stand = counted(crowds, "further object stands", "further objects stand")
        said.append(f"{stand} for crowds or regions to ignore")
    if set(objects) < set(source.class_names):
        unused = len(source.class_names) - len(objects)
        classes = counted(unused, "further class is", "further classes are")
        said.append(f"{classes} named and never {'occurs' if unused == 1 else 'occur'}")
    if source.kind == "instances":
        target["outline"] = "box"
    if source.kind == "keypoints" and any(len(item) > 1 for item in source.column("objects")):
        target["metrics"] = ["pck", _precision_of_points(source)]
    return guess_of(source, spec, {"image": image}, {source.kind: target}, [*said, why])


def _precision_of_points(source: AnnotatedSource) -> str | dict[str, Any]:
    """The metric of points that counts false finds too, which a picture of several objects asks for."""
    known = (item.keypoints for item in source.column("objects"))
    count = next((len(points.names) for points in known if points is not None), 0)
    return "keypoint_map" if count == _COCO_POINTS else {"name": "keypoint_map", "sigmas": _MIDDLING}


def guess_of(
    source: BaseSource,
    spec: dict[str, Any],
    inputs: dict[str, dict[str, Any]],
    targets: dict[str, dict[str, Any]],
    notes: Sequence[str],
) -> Guess:
    """A guess with the source's splits, notices and faults in its notes."""
    given = source.splits()
    said = [*notes, f"splits {named_splits(given)}" if given else "no splits of its own", *source.notices]
    faults = source.faults
    if faults:
        name, reason = faults[0]
        said.append(
            f"{counted(len(faults), 'record is', 'records are')} faulty, the first is {name}: {reason}; "
            "data.on_bad: {policy: skip} leaves such out"
        )
    return Guess(spec, inputs, targets, missing_split(source), len(source), said, training_rows(source))
