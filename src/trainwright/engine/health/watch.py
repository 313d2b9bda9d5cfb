"""What is known of a training's health, and what a rule that finds something leads to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from trainwright.engine.health import rules
from trainwright.engine.health.activity import Activity
from trainwright.engine.health.gradients import Norms

if TYPE_CHECKING:
    from trainwright.engine.averages import Sums
    from trainwright.engine.phase_runner import PhaseRunner
    from trainwright.recipe.health import Health


@dataclass(frozen=True)
class Finding:
    """Something that a rule found.

    Attributes:
        step: Optimizer steps done.
        rule: Name of the rule, as in `train.health`.
        text: A sentence without an end.
        policy: What is to be done, as in `train.health`.
        since: A step before which all was well, as far as is known.
    """

    step: int
    rule: str
    text: str
    policy: str
    since: int


class HealthWatch:
    """Takes the gradients' norms and the training loss every so many steps, and asks the rules.

    What it remembers is a function of the steps alone, whatever is recorded, saved or evaluated in between.

    Args:
        section: `train.health`.
        runners: The phases.
        model: The model.
    """

    def __init__(self, section: Health, runners: Sequence[PhaseRunner], model: nn.Module) -> None:
        self.section, self.every = section, section.every
        self.stopped = ""
        self._reads = section.reads
        self._norms = {runner.phase.name: runner.gradient_norms for runner in runners}
        self._pace = {runner.phase.name: runner.phase.every for runner in runners}
        self._activity = Activity(model)
        self._before = (0.0, 0.0)
        self._losses: list[float] = []
        self._epochs: list[float] = []
        self._totals: dict[str, list[float]] = {name: [] for name in self._norms}
        self._means: dict[str, list[dict[str, float]]] = {name: [] for name in self._norms}
        self._told: list[str] = []

    def due(self, step: int) -> bool:
        """Whether a reading follows when `step` steps are done."""
        return self._reads and step % self.every == 0

    def wants_norms(self, phase: str, step: int) -> bool:
        """Whether a step, counted from 0, is the last one of its phase before a reading."""
        return self._reads and step + self._pace[phase] >= (step // self.every + 1) * self.every

    def reading(self, step: int, sums: Sums) -> tuple[dict[str, float], list[Finding]]:
        """Norms to be recorded, and what the rules find.

        Args:
            step: Steps done.
            sums: Of the training loss and the like since the epoch began.
        """
        record: dict[str, float] = {}
        found: list[Finding] = []
        for phase, norms in self._norms.items():
            taken = norms.taken()
            if taken is not None:
                prefix = f"grad/{phase}/" if len(self._norms) > 1 else "grad/"
                record[f"{prefix}total"] = taken.total
                record |= {prefix + name: norm for name, norm in taken.groups.items()}
                found += self._of_gradients(step, phase, taken)
        if "loss" in sums:
            total, weight = sums["loss"]
            before, weight_before = self._before
            self._before = total, weight
            if weight > weight_before:
                _keep(self._losses, (total - before) / (weight - weight_before), rules.WINDOWS)
                found += self._judged("diverging", step, rules.diverging(self._losses))
        return record, found

    def _of_gradients(self, step: int, phase: str, taken: Norms) -> list[Finding]:
        if not math.isfinite(taken.total):
            return []  # scaled gradients may be infinite now and then; else the loss will tell
        _keep(self._totals[phase], taken.total, rules.NORMS)
        _keep(self._means[phase], taken.means, rules.IN_A_ROW)
        name, text = rules.vanishing(self._means[phase]) or ("", None)
        return [
            *self._judged("exploding", step, rules.exploding(self._totals[phase])),
            *self._judged("vanishing", step, text, name),
        ]

    def scoring(self) -> AbstractContextManager[None]:
        """Within it, a validation split is scored."""
        return nullcontext() if self.section.dead_units == "ignore" else self._activity.watched()

    def shares(self) -> dict[str, float]:
        """Share of dead units by layer, of the last scoring."""
        return self._activity.shares()

    def epoch(self, step: int, loss: float | None, dead: dict[str, float]) -> list[Finding]:
        """What the rules find at the end of an epoch.

        Args:
            step: Steps done.
            loss: Mean training loss of the epoch.
            dead: Share of dead units by layer; empty where nothing was scored.
        """
        self._before = (0.0, 0.0)
        found: list[Finding] = []
        if loss is not None:
            _keep(self._epochs, loss, rules.EPOCHS)
            found += self._judged("plateau", step, rules.plateau(self._epochs))
        name, text = rules.dead_units(dead) or ("", None)
        return [*found, *self._judged("dead_units", step, text, name)]

    def _judged(self, rule: str, step: int, text: str | None, subject: str = "") -> list[Finding]:
        """The finding; a warning only the first time."""
        policy = getattr(self.section, rule)
        told = f"{rule} {subject}"
        if text is None or policy == "ignore" or (policy == "warn" and told in self._told):
            return []
        if told not in self._told:
            self._told.append(told)
        # The readings that a slope is fitted to are a part of what is wrong.
        since = step - (rules.WINDOWS if rule == "diverging" else 1) * self.every
        return [Finding(step, rule, text, policy, max(0, since))]

    def state_dict(self) -> dict[str, Any]:
        """The numbers that the rules look at, and what was told."""
        return {
            "stopped": self.stopped,
            "before": self._before,
            "losses": [*self._losses],
            "epochs": [*self._epochs],
            "totals": {name: [*values] for name, values in self._totals.items()},
            "means": {name: [dict(item) for item in values] for name, values in self._means.items()},
            "norms": {name: norms.waiting() for name, norms in self._norms.items()},
            "told": [*self._told],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts them back."""
        self.stopped, self._before = state["stopped"], tuple(state["before"])
        self._losses[:], self._epochs[:], self._told[:] = state["losses"], state["epochs"], state["told"]
        for name, norms in self._norms.items():
            self._totals[name][:] = state["totals"][name]
            self._means[name][:] = [dict(item) for item in state["means"][name]]
            norms.wait_again(state["norms"][name])


def _keep(values: list[Any], value: Any, most: int) -> None:
    values.append(value)
    del values[:-most]
