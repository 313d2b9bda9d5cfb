"""The worst restored pictures of a split, kept beside its scores for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.loader import Store
from trainwright.data.types import PreparedData
from trainwright.inference.predictor import Predictor
from trainwright.inference.restored_pictures import RestoredPicture, shown
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
        if processor.type != "image" or not isinstance(kept, dict) or "psnr" not in kept:
            continue
        worst = rows[worst_pictures(kept["psnr"])]
        found = predictor.run(store, worst, with_targets=False)
        if not predictor.processes.is_first:
            continue
        place = answer_picture(folder, name, 0).parent
        make_directory(place.parent)
        make_directory(place)
        pictures = shown(processor, answer_of(found.outputs[name]))
        for row, pixels in zip(found.rows.tolist(), pictures, strict=True):
            write_bytes(answer_picture(folder, name, row), RestoredPicture(pixels).png())
