"""What is known of a training's health, and what a rule that finds something leads to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from trainwright.engine.health import rules
from trainwright.engine.health.activity import Activity

if TYPE_CHECKING:
    from trainwright.engine.phase_runner import PhaseRunner
    from trainwright.recipe.schema import Health

_KEPT = 40


@dataclass(frozen=True)
class Finding:
    """Something that a rule found.

    Attributes:
        step: Optimizer steps done.
        rule: Name of the rule, as in `train.health`.
        text: A sentence.
        policy: `warn` or `stop`.
    """

    step: int
    rule: str
    text: str
    policy: str


class Watch:
    """Takes the gradient norms of the steps that are recorded, and asks the rules.

    Args:
        section: `train.health`.
        runners: The phases.
        model: The model.
    """

    def __init__(self, section: Health, runners: Sequence[PhaseRunner], model: nn.Module) -> None:
        self.section = section
        self.norms = {runner.phase.name: runner.gradient_norms for runner in runners}
        self.activity = Activity(model)
        self.stopped = ""
        self._several = len(runners) > 1
        self._losses: list[float] = []
        self._epochs: list[float] = []
        self._totals: dict[str, list[float]] = {name: [] for name in self.norms}
        self._means: dict[str, list[dict[str, float]]] = {name: [] for name in self.norms}
        self._told: list[str] = []

    def window(self, step: int, values: Mapping[str, float]) -> tuple[dict[str, float], list[Finding]]:
        """Norms to be recorded beside a record of the training loss, and what the rules find."""
        record: dict[str, float] = {}
        found: list[Finding] = []
        for phase, norms in self.norms.items():
            taken = norms.taken()
            if taken is None:
                continue
            total, by_group, means = taken
            prefix = f"{phase}_" if self._several else ""
            record[f"step/{prefix}grad_norm"] = total
            record |= {f"grad/{prefix}{name}": norm for name, norm in by_group.items()}
            if not math.isfinite(total):
                continue
            _keep(self._totals[phase], total)
            _keep(self._means[phase], means)
            found += self._rule("exploding", step, rules.exploding(self._totals[phase]), again=True)
            gone = rules.vanishing(self._means[phase])
            found += self._rule("vanishing", step, gone[1] if gone else None, gone[0] if gone else "")
        if "step/loss" in values:
            _keep(self._losses, values["step/loss"])
            found += self._rule("diverging", step, rules.diverging(self._losses))
        return record, found

    def epoch(self, step: int, values: Mapping[str, float]) -> list[Finding]:
        """What the rules find at the end of an epoch."""
        found: list[Finding] = []
        if "train/loss" in values:
            _keep(self._epochs, values["train/loss"])
            found += self._rule("plateau", step, rules.plateau(self._epochs))
        dead = rules.dead_units(self.activity.shares())
        return found + self._rule("dead_units", step, dead[1] if dead else None, dead[0] if dead else "")

    def scoring(self) -> AbstractContextManager[None]:
        """Within it, a validation split is scored."""
        return self.activity.watched()

    def _rule(
        self, rule: str, step: int, text: str | None, subject: str = "", *, again: bool = False
    ) -> list[Finding]:
        """The finding, unless it was told before; `again` where every time is one of its own."""
        policy = getattr(self.section, rule)
        told = f"{rule} {subject}"
        if text is None or policy == "ignore" or (told in self._told and not (again and policy != "warn")):
            return []
        self._told.append(told)
        return [Finding(step, rule, text, policy)]

    def state_dict(self) -> dict[str, Any]:
        """The numbers that the rules look at, and what was told."""
        return {
            "stopped": self.stopped,
            "losses": [*self._losses],
            "epochs": [*self._epochs],
            "totals": {name: [*values] for name, values in self._totals.items()},
            "means": {name: [dict(item) for item in values] for name, values in self._means.items()},
            "told": [*self._told],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts them back."""
        self.stopped = state["stopped"]
        self._losses[:], self._epochs[:], self._told[:] = state["losses"], state["epochs"], state["told"]
        for name in self.norms:
            self._totals[name][:] = state["totals"][name]
            self._means[name][:] = [dict(item) for item in state["means"][name]]


def _keep(values: list[Any], value: Any) -> None:
    values.append(value)
    del values[:-_KEPT]
