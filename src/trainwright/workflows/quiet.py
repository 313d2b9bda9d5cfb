"""Lets one trial measure while the others of this machine rest."""

from __future__ import annotations

import time
from collections.abc import Sequence

from trainwright.workflows.trial_process import TrialProcess

_PATIENCE = 30.0  # seconds to wait for the others to come to rest


class Quiet:
    """Who measures, who rests for it, and who waits to measure.

    True while somebody measures or waits to. A process that dies ends its rest or its turn with it.
    """

    def __init__(self) -> None:
        self._waiting: list[TrialProcess] = []
        self._measures: TrialProcess | None = None
        self._asked: list[TrialProcess] = []
        self._resting: list[TrialProcess] = []
        self._told = False
        self._until = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting) or self._measures is not None

    def ask(self, process: TrialProcess) -> None:
        """A process would like to measure."""
        self._waiting.append(process)

    def rests(self, process: TrialProcess) -> None:
        """A process has come to rest."""
        self._resting.append(process)

    def measured(self, process: TrialProcess) -> None:
        """A process has measured, or its trial has ended some other way."""
        if self._measures is process:
            self._measures = None

    def grant(self, processes: Sequence[TrialProcess]) -> None:
        """Takes the next step: lets others rest, lets one measure, lets all go on.

        Args:
            processes: All that are alive.
        """
        busy = [process for process in processes if process.trial is not None]
        if self._measures not in busy:
            self._measures = None
            for other in self._asked:
                if other in processes:
                    other.tell({"kind": "go on"})
            self._asked = []
        self._waiting = [process for process in self._waiting if process in busy]
        if self._measures is None and self._waiting:
            self._begin(self._waiting.pop(0), busy)
        if self._measures is not None and not self._told:
            missing = [other for other in self._asked if other in busy and other not in self._resting]
            if not missing or time.monotonic() > self._until:
                self._measures.tell({"kind": "verdict", "action": "go"})
                self._told = True

    def _begin(self, process: TrialProcess, busy: Sequence[TrialProcess]) -> None:
        self._measures, self._told = process, False
        self._resting, self._until = [], time.monotonic() + _PATIENCE
        # Those that wait to measure do nothing anyway.
        self._asked = [other for other in busy if other is not process and other not in self._waiting]
        for other in self._asked:
            other.tell({"kind": "rest"})
