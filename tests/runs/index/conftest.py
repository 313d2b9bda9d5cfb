"""The same index in a file and on a real server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.place import VARIABLE
from trainwright.runs.index.runs_table import RunIndex
from trainwright.runs.index.syncing import open_index


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the index is, also for what reads the environment."""
    place = (
        str(tmp_path / "index.sqlite")
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgresql"))
    )
    monkeypatch.setenv(VARIABLE, place)
    return place


@pytest.fixture
def index(place: str, runs_dir: Path) -> Iterator[RunIndex]:
    """An empty index of `runs_dir`."""
    runs_dir.mkdir(exist_ok=True)
    opened = open_index(place, runs_dir)
    yield opened
    opened.close()


@pytest.fixture
def many_runs(make_run: Callable[..., RunDirectory]) -> list[RunDirectory]:
    """Runs in every state."""
    from trainwright.runs.record import RunState

    done = [make_run("digits", f"{number:010x}", accuracy=0.1 * number) for number in range(5)]
    return [
        *done,
        make_run("cifar", "a" * 10, accuracy=None),
        make_run("cifar", "b" * 10, accuracy=None, state=RunState.RUNNING),
        make_run("cifar", "c" * 10, accuracy=None, state=RunState.INTERRUPTED, reason="asked to stop"),
        make_run("cifar", "d" * 10, accuracy=float("nan"), state=RunState.FAILED, reason="diverged"),
    ]


@pytest.fixture
def salt() -> str:
    """Ten digits that no other test has."""
    return uuid.uuid4().hex[:10]
