"""The coordinator's side of a process that trains trials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainwright.tune.trial import Trial
from trainwright.workflows.worker_process import WorkerProcess


class TrialProcess(WorkerProcess):
    """A process and the trial that it works on.

    Args:
        index: Its number among its siblings.
        threads: Compute threads that it may use.
        log: File that takes what it and the user's code print.
    """

    def __init__(self, index: int, threads: int, log: Path) -> None:
        super().__init__("trainwright.workflows.trial_worker", index, threads, log)
        self.trial: Trial | None = None

    def send(self, order: Mapping[str, Any], trial: Trial | None = None) -> None:
        """Gives an order."""
        self.trial = trial
        self.tell(order)
