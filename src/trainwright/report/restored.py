"""What there is to know of restored pictures on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics import bootstrap
from trainwright.metrics.arrays import Floats
from trainwright.metrics.bootstrap import Interval
from trainwright.metrics.psnr import worst_pictures
from trainwright.report.charts import Bars, Chart, Heatmap
from trainwright.report.mistakes import Mistake, poor_picture

STRIP = 3
"""Pictures of a strip: what went in, what came out, and the truth."""


@dataclass(frozen=True)
class RestoredResult:
    """Everything the report says of a target whose answers are pictures.

    Attributes:
        name: The target.
        total: Pictures.
        psnr: Mean peak signal-to-noise ratio in decibels, with its interval.
        ssim: Mean structural similarity, with its interval.
        lowest: Smallest signal-to-noise ratio.
        highest: Largest one.
        mistakes: The pictures of the smallest one; `predicted` is their signal-to-noise ratio.
        charts: How many pictures have which.
        heatmaps: None.
    """

    name: str
    total: int
    psnr: float
    psnr_interval: Interval
    ssim: float
    ssim_interval: Interval
    lowest: float
    highest: float
    mistakes: list[Mistake]
    charts: list[Chart]
    heatmaps: tuple[Heatmap, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        kept = ("psnr", "psnr_interval", "ssim", "ssim_interval", "lowest", "highest")
        worst = [{"sample": m.sample, "row": m.row, "psnr": m.predicted} for m in self.mistakes]
        return {
            "type": "image",
            "samples": self.total,
            **{name: getattr(self, name) for name in kept},
            "worst": worst,
        }


def analyse_restored(
    target: str, columns: dict[str, Any], classes: Sequence[str] = (), *, stem: str, seed: int = 0
) -> list[RestoredResult]:
    """Computes everything from the columns of `predictions.parquet`.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Not used: a picture has none.
        stem: Start of the plots' names.
        seed: Address of the bootstrap's resamples.
    """
    both: Floats = np.stack([columns[f"{target}_psnr"], columns[f"{target}_ssim"]], axis=1)
    if not len(both):
        return []
    means = bootstrap.resample_means(both, seed=seed)
    return [
        RestoredResult(
            name=target,
            total=len(both),
            psnr=float(both[:, 0].mean()),
            psnr_interval=bootstrap.interval(means[:, 0]),
            ssim=float(both[:, 1].mean()),
            ssim_interval=bootstrap.interval(means[:, 1]),
            lowest=float(both[:, 0].min()),
            highest=float(both[:, 0].max()),
            mistakes=[
                poor_picture(target, columns, place, "psnr", STRIP) for place in worst_pictures(both[:, 0])
            ],
            charts=[_chart(both[:, 0], stem)],
        )
    ]


def _chart(decibels: Floats, stem: str) -> Chart:
    heights, edges = np.histogram(decibels, bins=min(40, max(8, int(2 * len(decibels) ** 0.5))))
    return Chart(
        f"{stem}-psnr",
        "Signal-to-noise ratio of the pictures",
        "decibels",
        "pictures",
        [Bars(edges, heights.astype(np.float64))],
    )
