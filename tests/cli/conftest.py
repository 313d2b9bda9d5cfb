"""Running the command in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from trainwright.cli import main
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.spool import Spool


class Answer(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line and gives its exit code, stdout and stderr."""

    def call(*words: str) -> Answer:
        code = main(list(words))
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunDirectory]:
    """A run as training would leave it, in `runs/` of the temporary directory."""

    def make(salt: str, *, lr: float = 0.1, state: RunState = RunState.DONE) -> RunDirectory:
        record = RunRecord(name="digits", salt=salt, git={"commit": "c" * 40, "dirty": True})
        record.begin()
        run = RunDirectory(tmp_path / "runs" / f"digits-{salt}")
        with run.acquire():
            resolved = yaml.safe_dump({"name": "digits", "train": {"lr": lr}})
            run.create(record, as_given="name: digits\n", resolved=resolved)
            with Spool(run.metrics_file) as spool:
                spool.log(10, 0, {"val/accuracy": lr, "val/loss": float("nan")})
            record.progress = {"step": 10, "total_steps": 20}
            record.end(state, "the end")
            run.save(record)
        return run

    return make
