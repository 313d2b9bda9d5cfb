"""What the loop drives, whom it tells, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import nn

from trainwright.data.loader import Loader
from trainwright.data.substitutes import Substitutes
from trainwright.engine.callbacks.base import Callbacks
from trainwright.engine.distributed import Processes
from trainwright.engine.ema import Ema
from trainwright.engine.health.watch import HealthWatch
from trainwright.engine.monitor import Monitor
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.engine.position import Budget
from trainwright.engine.runtime import Runtime
from trainwright.engine.sample_losses import SampleLosses
from trainwright.tasks.base import Task


class Journal(Protocol):
    """Where metrics are written; the run's spool."""

    def log(self, step: int, epoch: int, values: dict[str, Any]) -> None: ...


@dataclass
class Outcome:
    """How a training ended.

    Attributes:
        state: `done` or `interrupted`.
        reason: In words.
        step: Steps done.
        epoch: Epochs done.
        metrics: The last evaluation.
        steady_seconds: Time of the steps, evaluation and saving left out, after the first ones.
        steady_steps: Number of those steps.
        first_step_at: Unix time at the end of the first step of this attempt.
    """

    state: str
    reason: str
    step: int
    epoch: int
    metrics: dict[str, float] = field(default_factory=dict)
    steady_seconds: float = 0.0
    steady_steps: int = 0
    first_step_at: float | None = None


@dataclass
class Parts:
    """Everything that the loop drives, built by `engine.build`."""

    task: Task
    model: nn.Module
    forward: nn.Module
    runners: list[PhaseRunner]
    train_loader: Loader
    val_loader: Loader | None
    runtime: Runtime
    processes: Processes
    budget: Budget
    seed: int
    ema: Ema | None = None
    best: Monitor | None = None
    early_stop: Monitor | None = None
    log_every: int = 50
    evaluate_every: int = 1
    save_every_steps: int | None = None
    save_every_seconds: float | None = None
    substitutes: Substitutes | None = None
    samples: SampleLosses | None = None
    callbacks: Callbacks | None = None
    health: HealthWatch | None = None
