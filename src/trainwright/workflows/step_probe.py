"""Asks a process of its own what a few steps at small batches take, and ends it before it takes too much."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from trainwright.engine.step_estimate import Measured, StepEstimate
from trainwright.errors import TrainwrightError
from trainwright.machine.process_memory import resident_bytes

if TYPE_CHECKING:
    from trainwright.engine.runtime import Execution
    from trainwright.recipe import LoadedRecipe

SECONDS = 300.0
STEPS = 2
_LOOK_SECONDS = 0.02
_MODULE = "trainwright.workflows.step_probe_worker"
_LAST_WORDS = 2000


class ProbeFailed(TrainwrightError):
    """The probe ended without an answer."""


@dataclass(frozen=True)
class Probed:
    """What a probe found.

    Attributes:
        measured: One for every size that fitted.
        mapped: Bytes of memory-mapped data.
        evaluation: Host and device bytes after an evaluation; None where it did not come to it.
        row: Bytes of outputs and targets that an evaluation keeps of a row.
        exceeded: Whether it was ended because the next size would have taken more than was granted.
    """

    measured: tuple[Measured, ...]
    mapped: int = 0
    evaluation: tuple[int, int] | None = None
    row: int = 0
    exceeded: bool = False

    def estimate(self, rows: int) -> StepEstimate:
        """What it says of other sizes.

        Args:
            rows: Rows of the largest split that is evaluated.
        """
        host, device = self.evaluation or (0, 0)
        # Held in pieces and, when they are joined, once more.
        return StepEstimate(self.measured, self.mapped, host, device, 2 * self.row * rows)


def probe_steps(
    loaded: LoadedRecipe,
    execution: Execution,
    sizes: Sequence[tuple[int, int]],
    limit: int,
    *,
    seconds: float = SECONDS,
    steps: int = STEPS,
    enough: Callable[[Sequence[Measured]], bool] = lambda _measured: False,
) -> Probed:
    """Trains in miniature, in a process of its own.

    Args:
        loaded: The recipe; its data are in the caches already.
        execution: How steps are executed.
        sizes: Samples of a step and of a forward pass, ascending.
        limit: Bytes beyond its imports at which the process is ended.
        seconds: The same for time.
        steps: Of every size that are timed; the quickest counts.
        enough: Asked after every size with all that were measured; whether the rest is left out.

    Raises:
        ProbeFailed: The process failed for another reason than memory, or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="trainwright-probe-") as folder:
        recipe = Path(folder) / "recipe.yaml"
        recipe.write_text(loaded.dump_resolved())
        order = {
            "recipe": str(recipe),
            "execution": execution.to_json(),
            "sizes": [list(pair) for pair in sizes],
            "limit": limit,
            "steps": steps,
        }
        errors = Path(folder) / "errors.txt"
        with errors.open("wb") as stderr:
            process = _started(stderr, execution.threads)
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # it died at once; its last words tell why
                process.stdin.write(json.dumps(order).encode() + b"\n")
                process.stdin.flush()
            found = _gather(process, limit, seconds, enough)
        finally:
            _end(process)
        if found is None:
            words = errors.read_text(errors="replace").strip()[-_LAST_WORDS:]
            raise ProbeFailed(
                "what a step takes could not be measured",
                why=words.splitlines()[-1] if words else f"the process ended with code {process.returncode}",
            )
        return found


def _started(errors: IO[bytes], threads: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        start_new_session=True,  # Ctrl-C is for the parent, whose end it sees
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it has copies of itself at work
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _gather(
    process: subprocess.Popen[bytes],
    limit: int,
    seconds: float,
    enough: Callable[[Sequence[Measured]], bool],
) -> Probed | None:
    """Answers until the last one, or until a process holds too much; None where they end before."""
    measured: list[Measured] = []
    mapped, pid, begun_with = 0, 0, 0
    for answer in _answers(process, seconds):
        if answer is None:
            if pid and resident_bytes(pid) - begun_with > limit + mapped:
                return Probed(tuple(measured), mapped, exceeded=True)
        elif answer["kind"] == "begun":
            pid, begun_with = answer["pid"], answer["resident"]
        elif answer["kind"] == "data":
            mapped = answer["mapped"]
        elif answer["kind"] == "steps":
            measured.append(Measured(**{key: value for key, value in answer.items() if key != "kind"}))
            if enough(measured):
                return Probed(tuple(measured), mapped)
        elif answer["kind"] == "exceeded":
            return Probed(tuple(measured), mapped, exceeded=True)
        else:
            scored = (answer["host"], answer["device"])
            return Probed(tuple(measured), mapped, scored, answer["row"])
    return None


def _answers(process: subprocess.Popen[bytes], seconds: float) -> Iterator[dict[str, Any] | None]:
    """Answers as they come, and None at every look in between; ends with the process or the time."""
    assert process.stdout is not None
    deadline, rest = time.monotonic() + seconds, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(_LOOK_SECONDS):
                yield None
                continue
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from map(json.loads, lines)
