"""The checks of a network are passed over only for the very run that passed them."""

from __future__ import annotations

import pytest

from trainwright.engine.preflight import Preflight
from trainwright.engine.runtime import Execution
from trainwright.errors import ModelError
from trainwright.runs.record import RunRecord
from trainwright.workflows.checked_networks import checked_once

EXECUTION = Execution("cpu")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINWRIGHT_CACHE", str(tmp_path))


class Check:
    """Counts how often it is asked."""

    def __init__(self, fails: bool = False) -> None:
        self.calls, self.fails = 0, fails

    def __call__(self) -> Preflight:
        self.calls += 1
        if self.fails:
            raise ModelError("layer 'head' fails")
        return Preflight({"train/loss", "val/loss"}, ["a softmax too many"])


def record(digest: str = "a" * 64, code: dict[str, str] | None = None, **packages: str) -> RunRecord:
    parts = {"content": {"code": code}} if code else {"content": {}}
    return RunRecord("digits", digest[:10], digest=digest, parts=parts, packages=packages)


def test_the_same_run_is_checked_once():
    check = Check()
    assert checked_once(record(), EXECUTION, check) == checked_once(record(), EXECUTION, check)
    assert check.calls == 1


@pytest.mark.parametrize(
    ("other", "execution"),
    [
        (record("b" * 64), EXECUTION),
        (record(torch="9.9"), EXECUTION),
        (record(), Execution("cpu", micro_batch=8)),
    ],
    ids=["recipe", "packages", "execution"],
)
def test_anything_else_is_checked_anew(other, execution):
    check = Check()
    checked_once(record(), EXECUTION, check)
    checked_once(other, execution, check)
    assert check.calls == 2


@pytest.mark.parametrize("other", [None, record(code={"my_nets": "c" * 64})], ids=["no record", "user code"])
def test_these_are_checked_every_time(other):
    check = Check()
    checked_once(other, EXECUTION, check)
    checked_once(other, EXECUTION, check)
    assert check.calls == 2


def test_a_failure_is_never_remembered():
    with pytest.raises(ModelError):
        checked_once(record(), EXECUTION, Check(fails=True))
    check = Check()
    checked_once(record(), EXECUTION, check)
    assert check.calls == 1
