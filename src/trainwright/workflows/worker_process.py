"""The coordinator's side of a process that it gives orders to, in lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class WorkerProcess:
    """A process that reads orders on stdin and answers on stdout.

    It has a session of its own, so that Ctrl-C reaches the coordinator alone; the end of its stdin tells it
    that the coordinator is gone.

    Args:
        module: What it runs, as `python -m` does.
        index: Its number among its siblings; chooses the GPU where there are several.
        threads: Compute threads that it may use.
        log: File that takes what it and the user's code print.
    """

    def __init__(self, module: str, index: int, threads: int, log: Path) -> None:
        self.index, self.last_sign = index, time.monotonic()
        self.stopping = False
        self._rest = b""
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the coordinator alone
            )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def fileno(self) -> int:
        """For `select`: readable when it has answered, or has died."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def tell(self, message: Mapping[str, Any]) -> None:
        """One line; of a process that has died the end of its answers tells."""
        self.last_sign = time.monotonic()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def answers(self) -> tuple[list[dict[str, Any]], bool]:
        """Whole answers that have come, and whether the process has ended."""
        assert self.process.stdout is not None
        ended = False
        while True:
            try:
                data = os.read(self.process.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                break
            if not data:
                ended = True
                break
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        if lines:
            self.last_sign = time.monotonic()
        return [json.loads(line) for line in lines], ended

    def interrupt(self) -> None:
        """Asks it to save and stop."""
        if not self.stopping:
            self.stopping = True
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once, also when it is paused."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def how_it_ended(self) -> str:
        """In words, once it has ended."""
        code = self.process.wait()
        if code >= 0:
            return f"its process ended with code {code}"
        try:
            return f"its process was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"its process was killed by signal {-code}"
