"""The process that feeds a run's sinks, so that neither their imports nor their waiting cost a step anything.

It is given the sinks as JSON on its standard input, and follows the spool until that is closed: by the
training that comes to its end, or by the system when the training was killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainwright import log
from trainwright import recipe as recipes
from trainwright.runs.directory import RunDirectory
from trainwright.runs.sinks.feeding import follow, write_failures

_NICE = 19
_AFTER_A_KILL = 30.0
_END = "end"


class SinkProcess:
    """The training's side of it.

    Args:
        run: The run, whose record is written.
        specs: Its sinks.
    """

    def __init__(self, run: RunDirectory, specs: Sequence[Mapping[str, Any]]) -> None:
        command = [sys.executable, "-P", "-m", "trainwright.runs.sinks.process", str(run.path.resolve())]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for the training, which tells this process when to end
            text=True,
        )
        self._tell(json.dumps([dict(spec) for spec in specs]))

    def close(self, wait: float) -> bool:
        """Lets it hand over the rest, for at most `wait` seconds; whether every sink has everything."""
        self._tell(_END)
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            return self._process.wait(wait) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it at once; what it has not handed over is kept."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(2.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _tell(self, line: str) -> None:
        with suppress(OSError):  # it has died: what it was to do is done by a later one
            assert self._process.stdin is not None
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def main(arguments: Sequence[str]) -> int:
    """Feeds the sinks of the run that is the argument; 0 where all were given everything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield_to_the_training()
    run = RunDirectory(Path(arguments[0]))
    specs = json.loads(sys.stdin.readline() or "[]")
    recipes.load(run.resolved)  # says where modules of the user lie
    (run.path / "sinks").mkdir(exist_ok=True)
    with log.to_file(run.path / "sinks" / "log.txt"):
        followers = follow(run, specs)
        ended = False
        for line in sys.stdin:
            ended = ended or line.strip() == _END
        # Ended in order, the training decides how long it waits; it ends this process when that is over.
        signal.signal(signal.SIGTERM, lambda *_: _give_up(followers))
        complete = [follower.close(_AFTER_A_KILL if not ended else 1e6) for follower in followers]
        write_failures(followers)
    return 0 if all(complete) else 1


def yield_to_the_training() -> None:
    """Runs only where the training leaves a core idle: at the lowest nice value a step would still wait."""
    with suppress(OSError):
        os.nice(_NICE)
        if hasattr(os, "SCHED_IDLE"):  # Linux
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _give_up(followers: Sequence[Any]) -> None:
    write_failures(followers)
    os._exit(1)


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # not waiting for threads of clients that hang
