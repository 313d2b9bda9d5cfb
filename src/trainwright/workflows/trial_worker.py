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
from collections.abc import Mapping
from typing import Any, BinaryIO

_LAST_MOMENT = 60.0  # seconds to save in when the parent is gone


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


def main() -> None:
    """Works until stdin ends."""
    # Ctrl-C reaches the whole process group; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = Answers(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)  # what a user's code prints must not land among the answers
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while True:
        order = orders.get()
        if order["kind"] == "check":
            answers.say(_check(order))
            continue
        done = threading.Event()
        beat = threading.Thread(target=_beat, args=(answers, order, done), daemon=True)
        beat.start()
        answer = _work(order)
        done.set()
        beat.join()
        answers.say({**answer, "number": order["number"], "token": order["token"]})


def _listen(orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    os.kill(os.getpid(), signal.SIGTERM)  # a training saves and stops, anything else ends at once
    time.sleep(_LAST_MOMENT)
    os._exit(1)


def _beat(answers: Answers, order: Mapping[str, Any], done: threading.Event) -> None:
    while not done.wait(order["beat"]):
        answers.say({"kind": "beat", "number": order["number"], "token": order["token"]})


def _check(order: Mapping[str, Any]) -> dict[str, Any]:
    from trainwright import recipe as recipes
    from trainwright.errors import TrainwrightError
    from trainwright.workflows.objectives import reported

    try:
        loaded = recipes.load(order["recipe"])
        with recipes.located(loaded):
            return {"kind": "names", "names": sorted(reported(loaded))}
    except TrainwrightError as error:
        return {"kind": "refused", "reason": str(error)}


def _work(order: Mapping[str, Any]) -> dict[str, Any]:
    """Trains one trial, or goes on with it."""
    from trainwright.errors import StorageError, TrainwrightError
    from trainwright.runs.directory import RunDirectory
    from trainwright.runs.lock import LockHeld
    from trainwright.workflows.objectives import objective_values
    from trainwright.workflows.training import train

    try:
        result = train(
            order["recipe"],
            order["overrides"],
            runs_dir=order["runs_dir"],
            fresh=order["fresh"],
        )
        if result.state != "done":
            return {"kind": "interrupted", "run": str(result.path), "reason": result.reason}
        values = objective_values(RunDirectory(result.path), order["objectives"])
        return {"kind": "done", "run": str(result.path), "values": values, "reused": result.repeated}
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


if __name__ == "__main__":
    main()
