"""Starts a contestant as a process of its own, and watches it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestant import STARTED

ROOT = Path(__file__).resolve().parent.parent
# Reading the mappings of a process of 1 GiB takes it about 10 ms: twice a second costs at most 2 %.
SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Outcome:
    """One process, from outside.

    Attributes:
        returncode: Exit status.
        output: Standard output.
        errors: Standard error.
        started: Unix time before the start.
        wall_s: Seconds from before the start to after the end.
        peak_pss_mib: Largest proportional set size of the process tree seen, in MiB.
    """

    returncode: int
    output: str
    errors: str
    started: float
    wall_s: float
    peak_pss_mib: float

    def last_line(self) -> dict[str, Any]:
        """The last line of standard output that is a JSON object."""
        for line in reversed(self.output.splitlines()):
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise ValueError(f"no line of JSON in the output; the end of the errors:\n{self.errors[-2000:]}")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every contestant: the same for all, with compiled bytecode in use."""
    values = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    # The package of this very checkout is measured, whatever is installed.
    values["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    values["PYTHONWARNINGS"] = "ignore"
    # The directory of the running Python comes first, as in an activated environment.
    values["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{values.get('PATH', '')}"
    return values | dict(extra or {})


def run(
    command: Sequence[str],
    extra: Mapping[str, str] | None = None,
    *,
    folder: Path = ROOT,
    memory: bool = True,
) -> Outcome:
    """Runs `command` to its end.

    Args:
        command: Program and arguments.
        extra: Variables added to the common environment.
        folder: Working directory.
        memory: Sample the memory of the process tree.
    """
    values = environment(extra)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        started = time.time()
        values[STARTED] = repr(started)
        process = subprocess.Popen(command, cwd=folder, env=values, stdout=out, stderr=err)
        watch = MemoryWatch(process.pid)
        if memory:
            watch.start()
        process.wait()
        wall = time.perf_counter() - began
        watch.stop()
        out.seek(0)
        err.seek(0)
        return Outcome(process.returncode, out.read(), err.read(), started, wall, watch.peak_kib / 1024)


class MemoryWatch:
    """Samples the proportional set size of a process and its descendants in a thread."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak_kib = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begins to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Ends sampling; waits for the last sample."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.peak_kib = max(self.peak_kib, sum(pss_kib(pid) for pid in tree(self.pid)))


def tree(root: int) -> list[int]:
    """`root` and all its descendants that are alive."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it ended between listing and reading
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def pss_kib(pid: int) -> int:
    """Proportional set size of one process in KiB; 0 when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
