"""A thread in place of a trial's process, for tests in which nothing is killed: no import of torch anew."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

from trainwright.workflows.trial_process import TrialProcess
from trainwright.workflows.trial_worker import Answers, Worker


class _Orders:
    """What stands for stdin: whole lines go to the worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def write(self, line: bytes) -> None:
        self._worker.receive(json.loads(line))

    def flush(self) -> None: ...

    def close(self) -> None:
        self._worker.leave()


class _Thread:
    def __init__(self) -> None:
        read, write = os.pipe()
        self.stdout = os.fdopen(read, "rb", buffering=0)
        worker = Worker(Answers(os.fdopen(write, "wb", buffering=0)))
        self.stdin = _Orders(worker)
        self._thread = threading.Thread(target=worker.work, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        self.stdin.close()

    def wait(self) -> int:
        self._thread.join()
        return 0


class ThreadProcess(TrialProcess):
    """A worker that shares this process."""

    def __init__(self, index: int, threads: int, log: Path) -> None:
        self.index, self.last_sign = index, time.monotonic()
        self.trial, self.stopping, self._rest = None, False, b""
        self.process = _Thread()
        os.set_blocking(self.process.stdout.fileno(), False)
