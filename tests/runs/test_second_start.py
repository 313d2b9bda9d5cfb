"""The same recipe again: done, interrupted, failed, alive, near and fresh."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from trainwright.errors import RunError
from trainwright.runs.lock import LockHeld, holder
from trainwright.runs.record import RunState
from trainwright.runs.second_start import Action, decide, near_runs

SALT = "0123456789"


@pytest.fixture
def changed(recipe):
    def change(**train):
        other = copy.deepcopy(recipe)
        other["train"].update(train)
        return other

    return change


def test_new_run_is_started_and_locked(runs_dir, recipe):
    decision = decide(runs_dir, "digits", SALT, resolved=recipe)
    assert decision.action is Action.START and decision.messages == ()
    assert decision.run.path == runs_dir / f"digits-{SALT}"
    assert decision.run.lock.held
    with pytest.raises(LockHeld):
        decide(runs_dir, "digits", SALT, resolved=recipe)
    decision.run.lock.release()
    # Killed before it wrote its record: the next one starts it, not a new one.
    again = decide(runs_dir, "digits", SALT, resolved=recipe)
    assert again.action is Action.START and again.run.path == decision.run.path
    again.run.lock.release()


def test_done_is_shown_with_its_paths(make_run, runs_dir, recipe):
    run = make_run()
    run.report.write_text("<html>")
    decision = decide(runs_dir, "digits", SALT, resolved=recipe)
    assert decision.action is Action.DONE
    assert str(run.report) in "\n".join(decision.messages) and "--fresh" in decision.messages[0]
    assert holder(run.lock_file) is None


def test_interrupted_is_resumed_saying_from_where(make_run, runs_dir, recipe):
    for salt, state in (("1111111111", RunState.RUNNING), ("2222222222", RunState.INTERRUPTED)):
        run = make_run(salt=salt, state=state)
        decision = decide(runs_dir, "digits", salt, resolved=recipe)
        assert decision.action is Action.RESUME and decision.run.path == run.path
        assert "step 20" in decision.messages[0]
        assert decision.run.lock.held
        decision.run.lock.release()


@pytest.mark.parametrize("has_best", [True, False])
def test_failed_is_refused_with_the_ways_on(make_run, runs_dir, recipe, has_best):
    run = make_run(state=RunState.FAILED, reason="the loss is NaN at step 12")
    if has_best:
        run.best.parent.mkdir(exist_ok=True)
        run.best.touch()
    with pytest.raises(RunError, match="NaN at step 12") as caught:
        decide(runs_dir, "digits", SALT, resolved=recipe)
    text = str(caught.value)
    assert (f"resume {run.path} --from best" in text) == has_best and "--fresh" in text
    assert caught.value.exit_code == 2
    assert holder(run.lock_file) is None  # the refusal keeps no lock


def test_alive_is_refused_with_pid_and_host(make_run, runs_dir, recipe):
    run = make_run(state=RunState.RUNNING)
    code = """
import sys
from trainwright.runs.directory import RunDirectory
RunDirectory(sys.argv[1]).acquire()
print("held", flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code, run.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None and child.stdout.readline() == b"held\n"
    with pytest.raises(LockHeld, match=f"process {child.pid} on "):
        decide(runs_dir, "digits", SALT, resolved=recipe)
    child.communicate(b"")


def test_fresh_takes_numbered_directories(make_run, runs_dir, recipe):
    make_run()
    names = []
    for _ in range(2):
        decision = decide(runs_dir, "digits", SALT, resolved=recipe, fresh=True)
        assert decision.action is Action.START and decision.run.lock.held
        names.append(decision.run.id)
        decision.run.lock.release()
    assert names == [f"digits-{SALT}-2", f"digits-{SALT}-3"]


def test_same_salt_of_another_digest_is_refused(make_run, runs_dir, recipe):
    make_run(digest="0123456789aa")
    with pytest.raises(RunError, match="by accident"):
        decide(runs_dir, "digits", SALT, resolved=recipe, digest="0123456789bb")


def test_near_unfinished_run_is_named_with_what_differs(make_run, runs_dir, changed, recipe):
    run = make_run(salt="1111111111", state=RunState.INTERRUPTED, recipe=changed(epochs=5))
    make_run(salt="2222222222", recipe=changed(epochs=4))
    decision = decide(runs_dir, "digits", SALT, resolved=recipe)
    decision.run.lock.release()
    assert decision.messages == (
        f"not the same run as {run.path} (interrupted): train.epochs is 5 there and 3 here",
    )


def test_a_miss_says_which_field_changed(make_run, runs_dir, changed, recipe):
    make_run(salt="1111111111", recipe=changed(epochs=30, batch_size=8))
    make_run(salt="2222222222", recipe=changed(epochs=4))
    [line] = near_runs(runs_dir, "digits", recipe)
    assert "(done)" in line and "train.epochs is 4 there and 3 here" in line


def test_a_miss_without_a_changed_field_names_data_and_code(make_run, runs_dir, changed, recipe):
    make_run(salt="1111111111", recipe=changed(device="cuda"))
    [line] = near_runs(runs_dir, "digits", recipe)
    assert "the data, initial weights, user code" in line and "device" not in line


def test_far_and_foreign_runs_are_not_named(make_run, runs_dir, recipe):
    make_run("iris", salt="1111111111")
    make_run(salt="2222222222", recipe={"name": "digits", **{f"key{n}": n for n in range(9)}})
    damaged = make_run(salt="3333333333")
    damaged.resolved.write_text("[")
    assert near_runs(runs_dir, "digits", recipe) == []


def test_other_data_are_the_first_reason(make_run, runs_dir, changed, recipe):
    make_run(salt="1111111111", recipe=changed(epochs=5), fingerprint="there")
    [line] = near_runs(runs_dir, "digits", recipe, "here")
    assert line.endswith("(done): the data are others, train.epochs is 5 there and 3 here")
    [line] = near_runs(runs_dir, "digits", recipe, "there")
    assert line.endswith("(done): train.epochs is 5 there and 3 here")


def test_runs_on_other_data_with_other_columns_are_not_named(make_run, runs_dir, recipe):
    flowers = {**recipe, "data": {"inputs": {"x": {"type": "number"}}}}
    digits = {**recipe, "data": {"inputs": {"x": {"type": "image"}}}}
    make_run(salt="1111111111", recipe=flowers, fingerprint="there")
    assert near_runs(runs_dir, "digits", digits, "here") == []
    assert len(near_runs(runs_dir, "digits", digits, "there")) == 1
