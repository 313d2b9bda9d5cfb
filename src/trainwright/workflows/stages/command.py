"""A stage that runs a program of the user."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from trainwright.errors import UserError, closest
from trainwright.fields import CommandWord, Location, PlaceWithin, Workers
from trainwright.workflows.stages.work import StageWork

_PLACE = re.compile(r"\{(output|workers|threads|inputs\.([\w-]+))\}")
_GRACE = 10.0  # seconds between asking a program to end and ending it
_TAIL = 8
_BOUND = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(1)\n"
    "try: os.execvp(sys.argv[2], sys.argv[2:])\n"
    "except OSError as error: sys.exit(f'{sys.argv[2]}: {error.strerror}')"
)
"""Becomes the program, with PR_SET_PDEATHSIG: when this process is killed the program is killed too."""


def command(
    stage: StageWork,
    *,
    argv: list[CommandWord],
    outputs: list[PlaceWithin],
    inputs: dict[str, Location] | None = None,
    environment: dict[str, str] | None = None,
    workers: Workers = 1,
) -> None:
    """Runs a program, in the folder of the pipeline's file and without a shell; what it prints is kept.

    In the words, `{output}` stands for the stage's folder, `{inputs.NAME}` for an input, `{workers}` and
    `{threads}` for numbers. `python` is the Python that trainwright runs in. The stage is made anew when an
    input, a file that a word names, or a word changes; what else a program reads is not known.

    Args:
        argv: The program and its words; those with braces in quotes.
        outputs: Files or folders that it makes below `{output}`; without one of them it has failed.
        inputs: Files and folders that it reads, by name.
        environment: Variables that it gets beside those of this process.
        workers: Into how many parts it divides its work; given on as `{workers}`.
    """
    if not argv:
        raise UserError(
            "the command has no words", where="argv", fix="argv: [python, prepare.py, '{output}']"
        )
    values = {"output": str(stage.folder), "workers": str(workers), "threads": str(stage.threads)}
    values |= {f"inputs.{name}": place for name, place in (inputs or {}).items()}
    words = [filled(word, values) for word in argv]
    if words[0] == "python":
        words[0] = sys.executable
    printed = stage.scratch / "printed.txt"
    code = _run(words, {**os.environ, **(environment or {})}, stage.beside, printed)
    text = printed.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        stage.say(line)
    if code != 0:
        raise UserError(
            f"{argv[0]} {_ended(code)}",
            where=" ".join(argv),
            why=" | ".join(text.splitlines()[-_TAIL:]),
            fix="mend it and start the pipeline again; what is done stays done",
        )
    missing = [name for name in outputs if not (stage.folder / name).exists()]
    if missing:
        there = sorted(path.name for path in stage.folder.iterdir())
        raise UserError(
            f"the command did not make {missing[0]!r}",
            where="outputs",
            why=f"it made {', '.join(there) or 'nothing'} in {{output}}",
            fix="let it write there, or correct `outputs`",
        )


def filled(word: str, values: Mapping[str, str]) -> str:
    """A word with the values of its places; other braces stay. Raises UserError for an unknown input."""

    def value(found: re.Match[str]) -> str:
        """What stands for one place. Raises UserError for an input that there is not."""
        if found[1] in values:
            return values[found[1]]
        known = [name.removeprefix("inputs.") for name in values if name.startswith("inputs.")]
        guess = closest(found[2], known)
        raise UserError(
            f"the command has no input `{found[2]}`",
            where="argv",
            fix=f"did you mean `{{inputs.{guess}}}`?" if guess else f"inputs: {', '.join(known) or 'none'}",
        )

    return _PLACE.sub(value, word)


def _run(words: list[str], environment: Mapping[str, str], folder: Path, printed: Path) -> int:
    if sys.platform == "linux":
        words = [sys.executable, "-S", "-c", _BOUND, str(os.getpid()), *words]
    with printed.open("wb") as file:
        try:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that all that it starts can be ended together
            )
        except OSError as error:
            raise UserError(f"{words[0]} cannot be started: {error.strerror}", where="argv") from error
        try:
            return process.wait()
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks the program and what it started to end, then ends them."""
    kill: Callable[[int, int], None] = os.killpg
    with suppress(ProcessLookupError):
        kill(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with suppress(ProcessLookupError):
        kill(process.pid, signal.SIGKILL)
    process.wait()


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
