"""Scoring a split through the Predictor, and keeping every answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainwright.data.objects import OBJECT_TYPES, Objects
from trainwright.data.original_pixels import original_pixels
from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.inference.answers import Sizes, answer_columns, true_objects
from trainwright.inference.kept_pictures import keep_worst
from trainwright.inference.predictions import write_predictions
from trainwright.inference.predictor import Predictor
from trainwright.runs.atomic import make_directory
from trainwright.runs.scores import write_scores


def evaluate_split(
    predictor: Predictor, data: PreparedData, split: str, folder: Path | None
) -> dict[str, float]:
    """Metrics of a split, written as `metrics.json` with all answers in `predictions.parquet`.

    Args:
        predictor: The trained model.
        data: Prepared with the predictor's own processors.
        split: Name of the split.
        folder: `evaluation/<split>` of the run, written by the first process; None to keep nothing.
    """
    store = store_of(data, predictor.runtime.device)
    result = predictor.run(store, data.splits[split], with_targets=True, originals=original_pixels(data))
    metrics = predictor.task.score(result.outputs, result.targets)
    if folder is None:
        return metrics
    if predictor.processes.is_first:
        make_directory(folder)
    keep_worst(predictor, data, store, result.rows, result.outputs, folder)
    if not predictor.processes.is_first:
        return metrics
    losses = predictor.task.per_sample_losses(result.outputs, result.targets)
    columns = {"sample": [data.names[row] for row in result.rows], "row": result.rows.astype(np.int64)}
    classes = {}
    for name, processor in data.targets.items():
        output, target = result.outputs[name], result.targets[name]
        sizes = _picture_sizes(data, name, result.rows) if processor.type in OBJECT_TYPES else None
        columns.update(answer_columns(name, processor, output, target, losses.get(name), sizes))
        if processor.type == "instances":
            # Scoring keeps no masks of the truth.
            columns[name] = true_objects(processor, _truths(data, name, result.rows), sizes)
        if processor.spec().classes:
            classes[name] = processor.spec().classes
    if data.targets:
        write_predictions(folder / "predictions.parquet", columns, classes=classes)
    write_scores(folder / "metrics.json", metrics)
    return metrics


def _truths(data: PreparedData, target: str, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """The truth of one sample after the other, read again: all of a split's masks would fill the memory."""
    processor = data.targets[target]
    for row in rows.tolist():
        if target in data.streamed:
            stored = processor.encode(data.streamed[target][row])
        else:
            stored = np.array(data.arrays[target][row])
        value = processor.to_tensor(torch.from_numpy(stored)[None])
        assert isinstance(value, dict)
        yield {name: tensor[0] for name, tensor in value.items()}


def _picture_sizes(data: PreparedData, target: str, rows: np.ndarray) -> Sizes | None:
    """Sizes of the pictures as the annotations of a target state them."""
    column = next((item for item in data.columns if item.name == target), None)
    if column is None:
        return None
    values = column.source.column(column.parts[0])
    found = (values[int(row)] for row in rows)
    return [value.size if isinstance(value, Objects) else None for value in found]
