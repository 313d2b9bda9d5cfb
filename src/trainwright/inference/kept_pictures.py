"""The worst restored pictures and maps of classes of a split, kept beside its scores for the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.loader import Store
from trainwright.data.types import PreparedData
from trainwright.inference.answer_pictures import ids_png
from trainwright.inference.predictor import Predictor
from trainwright.inference.restored_pictures import RestoredPicture, shown
from trainwright.metrics.class_maps import miou_per_picture
from trainwright.metrics.psnr import worst_pictures
from trainwright.runs.atomic import make_directory, write_bytes
from trainwright.runs.directory import answer_picture
from trainwright.tasks.supervised.target import answer_of


def keep_worst(
    predictor: Predictor,
    data: PreparedData,
    store: Store,
    rows: npt.NDArray[np.int64],
    outputs: dict[str, Any],
    folder: Path,
) -> None:
    """Answers the worst pictures of a split again and writes them; every process takes part.

    Args:
        predictor: The trained model.
        data: Prepared data.
        store: Of their stored values.
        rows: Of the split, in its order.
        outputs: Target -> what scoring kept.
        folder: Of the split's evaluation.
    """
    for name, processor in data.targets.items():
        kept = outputs[name]
        quality = _quality(processor.type, kept)
        if quality is None:
            continue
        worst = rows[worst_pictures(quality)]
        found = predictor.run(store, worst, with_targets=False)
        if not predictor.processes.is_first:
            continue
        place = answer_picture(folder, name, 0).parent
        make_directory(place.parent)
        make_directory(place)
        files = _files(processor, answer_of(found.outputs[name]))
        for row, file in zip(found.rows.tolist(), files, strict=True):
            write_bytes(answer_picture(folder, name, row), file)


def _quality(type: str, kept: Any) -> npt.NDArray[Any] | None:
    """How good each answer is `[N]`, larger is better; None where answers are no pictures."""
    if type == "image" and isinstance(kept, dict) and "psnr" in kept:
        return np.asarray(kept["psnr"])
    if type == "mask" and isinstance(kept, dict) and "confusion" in kept:
        return miou_per_picture(kept["confusion"])
    return None


def _files(processor: Any, answers: Any) -> Iterator[bytes]:
    """A PNG per answer: restored pixels, or the model's class ids in gray at the processed size."""
    if processor.type == "mask":
        return (ids_png(ids) for ids in np.asarray(answers))
    return (RestoredPicture(pixels).png() for pixels in shown(processor, answers))
