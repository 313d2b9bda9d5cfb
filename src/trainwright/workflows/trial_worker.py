"""A process that trains trials: started by `TrialProcess`, it reads orders on stdin and answers on stdout.

Both are lines of JSON. While it works it says so every few seconds, which is what keeps its lease. The end of
stdin means that whoever started it is gone: it saves what it trains and ends.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from trainwright.runs.directory import RunDirectory

REST = signal.SIGUSR1
_LAST_MOMENT = 60.0  # seconds to save in when the parent is gone
_GONE = {"action": "leave", "reason": "whoever started the trial is gone"}


class Answers:
    """The way back, shared by the work and the sign of life."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._lock = file, threading.Lock()

    def say(self, answer: Mapping[str, Any]) -> None:
        """One line; where nobody reads any more the process is about to end anyway."""
        with self._lock:
            try:
                self._file.write(json.dumps(answer).encode() + b"\n")
            except BrokenPipeError:
                os._exit(1)


class Worker:
    """Carries out orders one after the other.

    Args:
        answers: The way back.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._verdicts: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._go_on, self._resting = threading.Event(), threading.Event()

    def receive(self, message: dict[str, Any]) -> None:
        """Takes an order, what becomes of a trial that was reported on, or when to rest; from any thread."""
        if message["kind"] == "rest":
            self._go_on.clear()
            self._resting.clear()
            signal.pthread_kill(threading.main_thread().ident or 0, REST)
            threading.Thread(target=self._tell_of_rest, daemon=True).start()
        elif message["kind"] == "go on":
            self._go_on.set()
        else:
            (self._verdicts if message["kind"] == "verdict" else self._orders).put(message)

    def rest(self, *_: object) -> None:
        """Holds the main thread, as a signal's handler, until it may go on."""
        self._resting.set()
        self._go_on.wait()

    def _tell_of_rest(self) -> None:
        if self._resting.wait(_LAST_MOMENT):
            self._answers.say({"kind": "resting"})

    def leave(self) -> None:
        """Nothing more will come."""
        self._go_on.set()
        self._orders.put(None)
        self._verdicts.put(_GONE)

    def work(self) -> None:
        """Carries out what comes until nothing more will."""
        while (order := self._orders.get()) is not None:
            if order["kind"] == "check":
                self._answers.say(_check(order))
                continue
            done = threading.Event()
            beat = threading.Thread(target=_beat, args=(self._answers, order, done), daemon=True)
            beat.start()
            answer = _Trial(order, self._answers, self._verdicts).work()
            done.set()
            beat.join()
            self._answers.say({**answer, "number": order["number"], "token": order["token"]})


class _Trial:
    """The work on one trial."""

    def __init__(
        self, order: Mapping[str, Any], answers: Answers, verdicts: queue.SimpleQueue[Mapping[str, Any]]
    ) -> None:
        self._order, self._answers, self._verdicts = order, answers, verdicts
        self._verdict: Mapping[str, Any] = {"action": "go"}

    def work(self) -> dict[str, Any]:
        """Trains the trial, or goes on with it; what came of it."""
        from trainwright.errors import StorageError, TrainwrightError
        from trainwright.runs.lock import LockHeld

        try:
            return self._train()
        except LockHeld as error:
            return {"kind": "held", "reason": error.what}
        except StorageError as error:
            return {"kind": "storage", "reason": str(error)}
        except TrainwrightError as error:
            return {"kind": "failed", "reason": str(error)}
        except Exception as error:
            import traceback

            traceback.print_exc()  # into the study's log
            return {"kind": "failed", "reason": f"{type(error).__name__}: {error}"}

    def _train(self) -> dict[str, Any]:
        """Every seed of the trial, one after the other; those that were run before are only read."""
        from trainwright.runs.directory import RunDirectory
        from trainwright.workflows.objectives import curve_of, outcome_of
        from trainwright.workflows.training import train

        order, runs, reused = self._order, [], True
        for index, seed in enumerate(order["seeds"]):
            result = train(
                order["recipe"],
                order["overrides"] if seed is None else {**order["overrides"], "train.seed": seed},
                runs_dir=order["runs_dir"],
                fresh=order["fresh"],
                watch=self._watch if index == 0 and order["judged"] else None,
            )
            run = RunDirectory(result.path)
            if result.state != "done":
                kind = {"stop": "stopped", "pause": "paused"}.get(self._verdict["action"], "interrupted")
                curve = curve_of(run, order["metrics"])
                return {"kind": kind, "run": str(result.path), "reason": result.reason, "curve": curve}
            self._ensure_latency(run, {*order["objectives"], *order["constraints"]})
            runs.append(run)
            reused = reused and result.repeated
        outcome = outcome_of(runs, order["objectives"], order["constraints"], order["statistic"])
        curve = curve_of(runs[0], order["metrics"])
        return {"kind": "done", "run": str(runs[0].path), "reused": reused, "curve": curve, **outcome}

    def _watch(self, run: RunDirectory, epoch: int, step: int, metrics: Mapping[str, float]) -> str | None:
        """Reports an epoch, and waits for what becomes of the trial: a reason where it is to end."""
        from trainwright.workflows.objectives import report_values

        self._ensure_latency(run, self._order["metrics"])
        values = report_values(run, epoch, self._order["metrics"], metrics)
        if not values:
            return None
        self._verdict = self._ask({"kind": "report", "epoch": epoch, "step": step, "values": values})
        return None if self._verdict["action"] == "go" else str(self._verdict["reason"])

    def _ask(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Says something of the trial and waits for the answer."""
        self._say(message)
        return self._verdicts.get()

    def _say(self, message: Mapping[str, Any]) -> None:
        self._answers.say({**message, "number": self._order["number"], "token": self._order["token"]})

    def _ensure_latency(self, run: RunDirectory, wanted: Collection[str]) -> None:
        """Measures once how quick a run's model is, where that is asked for and there is one yet."""
        from trainwright.workflows.latency import ensure_latency

        if "model/latency_ms" in wanted and run.best.exists():
            ensure_latency(run, lambda: self._ask({"kind": "quiet"}))
            self._say({"kind": "measured"})


def main() -> None:
    """Works until stdin ends."""
    # Ctrl-C reaches the whole process group; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = Answers(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)  # what a user's code prints must not land among the answers
    worker = Worker(answers)
    signal.signal(REST, worker.rest)
    threading.Thread(target=_listen, args=(worker,), daemon=True).start()
    worker.work()


def _listen(worker: Worker) -> None:
    for line in sys.stdin.buffer:
        worker.receive(json.loads(line))
    os.kill(os.getpid(), signal.SIGTERM)  # a training saves and stops, anything else ends at once
    worker.leave()
    time.sleep(_LAST_MOMENT)
    os._exit(1)


def _beat(answers: Answers, order: Mapping[str, Any], done: threading.Event) -> None:
    while not done.wait(order["beat"]):
        answers.say({"kind": "beat", "number": order["number"], "token": order["token"]})


def _check(order: Mapping[str, Any]) -> dict[str, Any]:
    from trainwright import recipe as recipes
    from trainwright.errors import ErrorList, TrainwrightError
    from trainwright.workflows.objectives import reported

    try:
        return {"kind": "names", "names": sorted(reported(recipes.load(order["recipe"])))}
    except TrainwrightError as error:
        all_of_it = error.errors if isinstance(error, ErrorList) else [error]
        parts = [
            {name: getattr(each, name) for name in ("what", "where", "why", "fix")} for each in all_of_it
        ]
        return {"kind": "refused", "errors": parts}


if __name__ == "__main__":
    main()
