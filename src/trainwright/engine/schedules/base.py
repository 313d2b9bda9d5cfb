"""What every schedule shares: warm-up, and how a factor reaches an optimizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from trainwright.errors import RecipeError

if TYPE_CHECKING:
    from torch.optim import Optimizer


class Schedule(ABC):
    """A learning rate as a function of the step alone, so that a resume needs no history.

    The rate of step `s`, counted from 0, is the optimizer's own times `factor(s)`. In a warm-up of W
    steps the factor is `(s + 1) / W`: the first step moves already, and step W - 1 is at full rate.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        warmup_steps: Length of the warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of `total_steps`.

    Raises:
        RecipeError: The warm-up is given in two ways, or is longer than the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        warmup_steps: int = 0,
        warmup_epochs: float = 0.0,
        warmup_fraction: float = 0.0,
    ) -> None:
        self.total_steps, self.steps_per_epoch = total_steps, steps_per_epoch
        given = {"warmup_steps": warmup_steps, "warmup_epochs": warmup_epochs}
        given["warmup_fraction"] = warmup_fraction
        named = [name for name, value in given.items() if value]
        if len(named) > 1:
            raise RecipeError(
                f"the warm-up is given twice, as {' and '.join(named)}",
                where="train.schedule",
                fix="keep one of them",
            )
        self.warmup = warmup_steps or round(warmup_epochs * steps_per_epoch + warmup_fraction * total_steps)
        if self.warmup > total_steps:
            raise RecipeError(
                f"the warm-up of {self.warmup} steps is longer than the run of {total_steps}",
                where=f"train.schedule.{named[0]}",
                fix="shorten it, or train longer",
            )

    def factor(self, step: int) -> float:
        """What the optimizer's learning rate is multiplied by at `step`, counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.main(min(step, self.total_steps))

    @abstractmethod
    def main(self, step: int) -> float:
        """The factor after the warm-up; `step` is counted from the start of the run."""

    def progress(self, step: int) -> float:
        """Share of the steps after the warm-up that are done: 0 at its end, 1 at the end of the run."""
        return (step - self.warmup) / max(1, self.total_steps - self.warmup)

    def momentum(self, step: int) -> float | None:
        """Momentum (or beta1) of `step`, None where the schedule leaves it alone."""
        return None

    def observe(self, value: float) -> None:  # noqa: B027 - most have nothing to do
        """Takes the monitored metric after an evaluation; only `plateau` makes use of it."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep: nothing, for a function of the step."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027
        """Takes back what `state_dict` gave."""

    def apply(self, optimizer: Optimizer, step: int) -> float:
        """Sets rate and momentum of every group of `optimizer` for `step`; gives the factor.

        Raises:
            RecipeError: The schedule moves a momentum that the optimizer does not have.
        """
        factor, momentum = self.factor(step), self.momentum(step)
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
            if momentum is not None:
                _set_momentum(group, momentum)
        return factor


def _set_momentum(group: dict[str, Any], value: float) -> None:
    if group.get("momentum"):
        group["momentum"] = value
    elif "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        raise RecipeError(
            "the schedule moves the momentum, but the optimizer has none",
            where="train.schedule.cycle_momentum",
            fix="give the optimizer a momentum, or set cycle_momentum: false",
        )
