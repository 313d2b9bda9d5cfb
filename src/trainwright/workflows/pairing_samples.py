"""Stored predictions of one split of several runs: whether they are of the same samples, and paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.errors import RunError
from trainwright.inference.per_sample import SampleScores, sample_scores
from trainwright.inference.predictions import Predictions, read_predictions
from trainwright.runs.comparing import ComparedRun

NOT_KEPT = "the predictions were not kept: no test over samples"
NO_MEAN = "no mean over samples: no test over samples"
# Metrics are computed from float32 outputs, their values per sample kept in double precision.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class SplitAnswers:
    """Answers of one run on one split.

    Attributes:
        keys: Of the samples: name and row `[N]`, ordered.
        truths: Target -> true values in that order.
        scores: Metric -> values per sample in that order, of those that give the stored metric.
    """

    keys: list[tuple[str, int]]
    truths: dict[str, Any]
    scores: dict[str, SampleScores]


def read_answers(item: ComparedRun, split: str) -> SplitAnswers | None:
    """A run's answers on a split; None where they were not kept. Raises RunError where they are damaged."""
    path = item.run.evaluation(split) / "predictions.parquet"
    if not path.exists():
        return None
    found = read_predictions(path)
    try:
        return _answers(item, split, found)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RunError(
            "the predictions do not have the columns they should", where=str(path), why=str(error)
        ) from error


def other_samples(first: SplitAnswers, second: SplitAnswers) -> str:
    """Why the samples of two runs are not the same, in words; empty where they are."""
    if first.keys != second.keys:
        both = len(set(first.keys) & set(second.keys))
        return f"other samples: {both:,} of {len(first.keys):,} are among its {len(second.keys):,}"
    for target, true in first.truths.items():
        if target in second.truths and not _same(true, second.truths[target]):
            return f"other truth: {target} differs on the same samples"
    return ""


def _answers(item: ComparedRun, split: str, found: Predictions) -> SplitAnswers:
    names, rows = found["sample"], found.columns.get("row", np.zeros(len(found), np.int64)).tolist()
    keys = list(zip(names, rows, strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    targets = item.recipe["data"]["targets"]
    scores = {}
    for target, column in targets.items():
        for score in sample_scores(found, target, column["type"]):
            name = f"{target}/{score.name}" if len(targets) > 1 else score.name
            stored = item.metrics.get(f"{split}/{name}")
            if stored is not None and np.isclose(score.whole, stored, rtol=_TOLERANCE, atol=1e-7):
                scores[name] = SampleScores(score.name, score.values[order], score.of_mean)
    truths = {name: _ordered(found[name], order) for name in targets if name in found.columns}
    return SplitAnswers([keys[place] for place in order], truths, scores)


def _ordered(values: Any, order: Sequence[int]) -> Any:
    return values[order] if isinstance(values, np.ndarray) else [values[place] for place in order]


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return bool(first.shape == second.shape and np.allclose(first, second, equal_nan=True))
    return bool(first == second)
