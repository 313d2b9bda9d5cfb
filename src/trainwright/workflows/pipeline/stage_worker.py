"""A process that makes stages: started by the coordinator, it reads orders on stdin and answers on stdout.

Both are lines of JSON. SIGTERM, and the end of stdin, which means that the coordinator is gone, ask it to
save what it works on and to end.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from trainwright.workflows.stages.work import StageInterrupted

_LAST_MOMENT = 60.0  # seconds to save in when the coordinator is gone


class Answers:
    """The way back."""

    def __init__(self, file: BinaryIO) -> None:
        # Re-entrant: a signal's handler says something, also when it interrupts this thread in mid-word.
        self._file, self._lock = file, threading.RLock()

    def say(self, kind: str, **values: Any) -> None:
        """One line; where nobody reads any more the process is about to end anyway."""
        with self._lock:
            try:
                self._file.write(json.dumps({"kind": kind, **values}).encode() + b"\n")
            except BrokenPipeError:
                os._exit(1)


class Stop:
    """SIGTERM as an exception in the main thread, but not while an output is put in place."""

    def __init__(self) -> None:
        self._asked = self._held = False

    def handle(self, *_: object) -> None:
        """The signal's handler."""
        self._asked = True
        if not self._held:
            raise StageInterrupted("it was asked to stop")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it the signal waits."""
        self._held = True
        try:
            yield
        finally:
            self._held = False


def main() -> None:
    """Works until stdin ends."""
    # Ctrl-C reaches the whole process group; the coordinator decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers, stop = Answers(os.fdopen(os.dup(1), "wb", buffering=0)), Stop()
    os.dup2(2, 1)  # what a user's code prints must not land among the answers
    signal.signal(signal.SIGTERM, stop.handle)
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        while True:
            _obey(orders.get(), answers, stop)
    except StageInterrupted:
        os._exit(0)  # nothing is left to save, and threads of libraries may hang


def _listen(orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_MOMENT)
    os._exit(1)


def _obey(order: Mapping[str, Any], answers: Answers, stop: Stop) -> None:
    if order["kind"] == "check":
        answers.say("checked", **_check(order))
        return
    from trainwright.workflows.pipeline.stage_making import make

    answer = make(order, answers.say, stop.held)
    answers.say(**answer)
    if answer["kind"] == "interrupted":
        raise StageInterrupted


def _check(order: Mapping[str, Any]) -> dict[str, Any]:
    """What `trainwright check` says of a recipe: lines, or why it is refused."""
    from trainwright.errors import TrainwrightError
    from trainwright.workflows.checking import check

    try:
        return {"lines": check(order["recipe"], order["overrides"]).lines, "refused": ""}
    except TrainwrightError as error:
        return {"lines": [], "refused": str(error)}


if __name__ == "__main__":
    main()
