"""Precision over recall of many classes in one chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainwright.metrics.arrays import Floats
from trainwright.report.charts import GREY, Chart, Line, Mark

NAMED = 6
PALE = 200


def precision_recall_chart(
    recall: Floats,
    precisions: Sequence[Floats],
    areas: Sequence[float] | Floats,
    classes: Sequence[str],
    name: str,
    rule: str,
) -> Chart:
    """The mean curve and the classes with the smallest areas; the others stay pale.

    Args:
        recall: `[N]`, of all curves.
        precisions: `[N]` per class, NaN where nothing can be said of the class.
        areas: Average precision per class, NaN likewise.
        classes: Names of the classes.
        name: Stem of the plot's name.
        rule: What counts as right, as the beginning of a sentence.
    """
    there = [place for place, curve in enumerate(precisions) if not np.isnan(curve).any()]
    weakest = sorted(there, key=lambda place: areas[place])[: NAMED - 1]
    marks: list[Mark] = [
        Line(recall, precisions[place], color=GREY, faint=True)
        for place in there[:PALE]
        if place not in weakest
    ]
    if there:
        mean = np.mean([precisions[place] for place in there], axis=0)
        marks.append(Line(recall, mean, f"mean ({np.mean([areas[place] for place in there]):.3f})", 0))
    marks += [
        Line(recall, precisions[place], f"{classes[place]} ({areas[place]:.3f})", color, dashed=True)
        for color, place in enumerate(weakest, start=1)
    ]
    return Chart(
        name,
        "Precision and recall",
        "recall",
        "precision",
        marks,
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        square=True,
        note=f"{rule}; in brackets the average precision. Named are the mean and the weakest classes.",
    )
