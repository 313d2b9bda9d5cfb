"""Real processes of the command line that start within milliseconds, to be killed in earnest.

One parent imports everything once and forks a child per command, so that ten kills do not cost ten
imports. The parent starts no thread, and never trains itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

_PARENT = """
import json, os, select, signal, sys, traceback
import torch, pyarrow.parquet
import trainwright.inference.predictor, trainwright.workflows.session, trainwright.data.stream
from trainwright.cli import main

def work(job):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in enumerate((os.devnull, job["out"], job["err"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(name, flags, 0o644), number)
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    sys.path.insert(0, job["cwd"])
    try:
        code = main(job["argv"])
    except BaseException:
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

waiting = b""
while True:
    if select.select([0], [], [], 0.005)[0]:
        read = os.read(0, 1 << 16)
        if not read:
            break
        *lines, waiting = (waiting + read).split(b"\\n")
        for line in lines:
            child = os.fork()
            if child == 0:
                work(json.loads(line))
            print("started", child, flush=True)
    try:
        child, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        continue
    if child:
        print("ended", child, os.waitstatus_to_exitcode(status), flush=True)
"""
_LIMIT = 120.0


class Child:
    """One command at work."""

    def __init__(self, parent: Parent, pid: int, out: Path, err: Path) -> None:
        self._parent, self.pid, self._out, self._err = parent, pid, out, err

    @property
    def code(self) -> int | None:
        """Exit code, minus the signal's number after a kill, None while it lives."""
        return self._parent.ended.get(self.pid)

    def wait(self) -> int:
        """The exit code, as soon as there is one."""
        self._parent.until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if it still lives."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def said(self) -> str:
        """Everything it wrote so far."""
        return self._out.read_text() + self._err.read_text()


class Parent:
    """Forks a child per command; ends all of them when it is closed.

    Args:
        folder: Where the children's output goes.
        env: Environment on top of this process's own.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.ended: dict[int, int] = {}
        self._started: list[int] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PARENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(env or {})},
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, *numbers = line.split()
            with self._news:
                if what == "started":
                    self._started.append(int(numbers[0]))
                else:
                    self.ended[int(numbers[0])] = int(numbers[1])
                self._news.notify_all()

    def until(self, happened: Callable[[], bool]) -> None:
        """Returns when it happened; fails after two minutes."""
        with self._news:
            assert self._news.wait_for(happened, _LIMIT), "nothing came for two minutes"

    @staticmethod
    def until_polled(happened: Callable[[], object]) -> None:
        """The same for what no child reports."""
        deadline = time.monotonic() + _LIMIT
        while not happened():
            assert time.monotonic() < deadline, "nothing was seen for two minutes"
            time.sleep(0.002)

    def start(self, *argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Child:
        """Runs a command line of trainwright."""
        number = len(self._started)
        out, err = (self.folder / f"{number}.{kind}" for kind in ("out", "err"))
        job = {
            "argv": argv,
            "out": str(out),
            "err": str(err),
            "env": dict(env or {}),
            "cwd": str(cwd or self.folder),
        }
        for path in (out, err):
            path.touch()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        self.until(lambda: len(self._started) > number)
        return Child(self, self._started[number], out, err)

    def run(self, *argv: str, **given: object) -> Child:
        """Runs a command line to its end."""
        child = self.start(*argv, **given)  # type: ignore[arg-type]
        child.wait()
        return child

    def __enter__(self) -> Parent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in self._started:
            if pid not in self.ended:
                os.kill(pid, signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def poll(child: Child, seen: Callable[[], object], pause: float = 0.001) -> bool:
    """Waits until something is seen; False when the child ended before."""
    deadline = time.monotonic() + _LIMIT
    while not seen():
        if child.code is not None:
            return bool(seen())
        assert time.monotonic() < deadline, "nothing was seen for two minutes: " + child.said
        time.sleep(pause)
    return True


def checkpoints(run: Path) -> Iterator[tuple[int, bool]]:
    """Step of every checkpoint of a run, and whether it is committed."""
    for folder in (run / "state").glob("*"):
        if folder.name.isdigit():
            yield int(folder.name), (folder / "manifest.json").exists()


def only_run(runs: Path) -> Path | None:
    """The only run below a directory, None while there is none."""
    found = [path.parent for path in runs.glob("*/run.json")]
    assert len(found) < 2, found
    return found[0] if found else None


def overrides(values: Mapping[str, object]) -> Sequence[str]:
    """`a.b=value` for the command line."""
    return [f"{key}={json.dumps(value)}" for key, value in values.items()]
