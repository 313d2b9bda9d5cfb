"""The learning-rate range test: a short training whose rate rises by equal factors until it diverges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trainwright.engine.health.diverged import Diverged
from trainwright.engine.loop import Loop
from trainwright.engine.parts import Parts
from trainwright.engine.position import Budget
from trainwright.engine.rate_curve import Divergence, RateCurve, read_curve
from trainwright.engine.schedules.base import Schedule
from trainwright.engine.signals import StopRequest
from trainwright.progress import NoProgress, ProgressSink


class Sweep(Schedule):
    """Rates from `low` to `high` by equal factors, one each step; groups keep the ratio of their rates.

    Args:
        base: The optimizer's own rate.
        low: Rate of the first step.
        high: Rate of the last one.
        steps: At least two.
    """

    def __init__(self, base: float, low: float, high: float, steps: int) -> None:
        super().__init__(steps, steps)
        self._base, self._low, self._high = base, low, high

    def rate(self, step: int) -> float:
        """Rate of a step, counted from 0."""
        return float(self._low * (self._high / self._low) ** (step / (self.total_steps - 1)))

    def main(self, step: int) -> float:
        """The rate as a factor of the optimizer's own."""
        return self.rate(step) / self._base


class _Losses:
    """A journal that keeps the loss of every step, and ends the training when it has risen for good."""

    def __init__(self, steps: int) -> None:
        self.losses: list[float] = []
        self._judge = Divergence(steps)

    def log(self, step: int, epoch: int, values: dict[str, Any]) -> None:
        """Takes what the loop tells after each step."""
        if "step/loss" not in values:
            return
        loss = float(values["step/loss"])
        self.losses.append(loss)
        if self._judge.observe(loss):
            raise Diverged(f"the loss rose to {loss:.4g}", rule="diverging", step=step, since=step)


class _StepsOnly(NoProgress):
    """Passes on how far the test is; its epochs are nothing to tell of."""

    def __init__(self, told: ProgressSink) -> None:
        super().__init__()
        self._told = told

    def start(self, total_steps: int | None, steps_per_epoch: int, batch_size: int) -> None:
        """The test begins."""
        self._told.start(total_steps, steps_per_epoch, batch_size)

    def step(self, step: int) -> None:
        """So many steps are done."""
        self._told.step(step)

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Nothing."""


def range_test(
    parts: Parts, base: float, low: float, high: float, steps: int, progress: ProgressSink
) -> tuple[RateCurve, bool]:
    """Trains for at most `steps` steps at rising rates, and reads the curve of losses.

    Steps are those of a training: its batches in their order, augmented, with its clipping and its layers'
    own rates. Its schedule, its evaluations and all that watches it are left out.

    Args:
        parts: Built for the recipe, with one phase; the weights are spent afterwards.
        base: The optimizer's own rate.
        low: Rate of the first step.
        high: Rate of the last step.
        steps: Length of the test.
        progress: Told how far it is.

    Returns:
        The curve, and whether the test ended because the loss had risen.
    """
    sweep = Sweep(base, low, high, steps)
    parts.runners[0].schedule = sweep
    bare = replace(
        parts,
        budget=Budget(steps),
        val_loader=None,
        ema=None,
        best=None,
        early_stop=None,
        callbacks=None,
        health=None,
        samples=None,
        log_every=1,
        evaluate_every=1 << 30,
        save_every_steps=None,
        save_every_seconds=None,
    )
    journal, risen = _Losses(steps), False
    loop = Loop(bare, journal, _StepsOnly(progress), None, lambda: None, StopRequest())
    try:
        loop.run()
    except Diverged:
        risen = True
    rates = [sweep.rate(step) for step in range(len(journal.losses))]
    return read_curve(rates, journal.losses, steps, risen=risen), risen
