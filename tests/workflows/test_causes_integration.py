"""Every cause of the table is refused by `check`, in the right place with the right fix, before a step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from causes import KINDS, Cause, answers, causes

from trainwright.cli import main

ALL = [*causes("by_developers.yaml"), *causes("by_users.yaml")]


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a cause in an empty folder and goes there; gives the words behind `check`."""

    def make(cause: Cause) -> list[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TRAINWRIGHT_CACHE", str(tmp_path / "cache"))
        return cause.make(tmp_path)

    return make


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.name)
def test_is_refused_in_the_right_place_with_the_right_fix(cause, at, capsys):
    words = at(cause)
    assert main(["check", *words]) == 2
    told = answers(capsys.readouterr().err)
    expected = [word.lower() for word in (cause.where, *cause.says, *cause.fix)]
    fitting = [text for text in told if all(word in text for word in expected)]
    missing = [word for word in expected if not any(word in text for text in told)]
    assert fitting, f"{missing} not in {told}"
    advice = fitting[0].partition("fix: ")[2]
    assert all(word.lower() in advice for word in cause.fix), advice
    assert cause.where.lower() in fitting[0].splitlines()[0]


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.name)
def test_reaches_no_step(cause, at, capsys):
    words = at(cause)
    # A cause that is not refused must not cost a whole training.
    assert main(["train", *words, "--quiet", "train.minutes=0.05"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not list(Path("runs").rglob("metrics.jsonl"))


def test_the_table_covers_every_kind():
    names = Counter(cause.name for cause in ALL)
    assert max(names.values()) == 1
    for kind in KINDS:
        assert sum(cause.kind == kind for cause in ALL) >= 3, kind
    assert {cause.kind for cause in ALL} == set(KINDS)
