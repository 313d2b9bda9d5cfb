"""Learning curves of trials: what a run said of itself after each evaluated epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Report:
    """One evaluation of a run.

    Attributes:
        epoch: Epochs done, from 1.
        step: Optimizer steps done.
        values: Metric -> value.
    """

    epoch: int
    step: int
    values: Mapping[str, float] = field(default_factory=dict)


Curve = tuple[Report, ...]
"""Reports by epoch."""

Curves = Mapping[int, Curve]
"""Trial -> its reports so far, those that have any."""


def until(curve: Curve, epoch: int) -> Curve:
    """The reports up to an epoch, itself included."""
    return tuple(report for report in curve if report.epoch <= epoch)


def reached(curve: Curve, epoch: int) -> Report | None:
    """The first report at an epoch or behind it; None where the trial has not come that far."""
    return next((report for report in curve if report.epoch >= epoch), None)


def cost(value: float, direction: str) -> float:
    """A value so turned that less is better; what is no number is worst."""
    if value != value:
        return float("inf")
    return -value if direction == "maximize" else value


def best_cost(curve: Curve, metric: str, direction: str) -> float | None:
    """The best that a metric has been, so turned that less is better; None where it was never reported."""
    found = [cost(report.values[metric], direction) for report in curve if metric in report.values]
    return min(found, default=None)
