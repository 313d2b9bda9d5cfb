"""The study on disk: one result per trial, whoever asks, whatever dies."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.errors import RunError, UserError
from trainwright.tune.curve import Report
from trainwright.tune.store import Store
from trainwright.tune.study import Study, best
from trainwright.tune.trial import Trial, TrialState


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(place, clock):
    with Store(*place, clock=clock) as made:
        made.create({"name": "a"}, 5)
        yield made


def add(store: Store, number: int, **more) -> Trial | None:
    return store.add(number, {"x": number}, owner="me", lease=10, known=0, **more)


def test_a_result_is_there_after_opening_again(store, place):
    trial = add(store, 0)
    assert store.finish(0, trial.token, TrialState.DONE, [0.5], run="runs/a", reused=True)
    with Store(*place) as again:
        found = again.trials()[0]
    assert (found.values, found.run, found.reused, found.ended) == ((0.5,), "runs/a", True, 1)
    assert found.state is TrialState.DONE and found.point == {"x": 0}


def test_a_number_is_given_once(store):
    assert add(store, 0) is not None
    assert add(store, 0) is None


def test_a_grid_point_is_there_once(store):
    assert store.add(0, {"x": 1}, owner="me", lease=10, known=0, once=True)
    assert store.add(1, {"x": 1}, owner="me", lease=10, known=0, once=True) is None
    assert store.add(1, {"x": 2}, owner="me", lease=10, known=0, once=True)


def test_the_present_study_of_several(store, place):
    """A database by URL holds many; the name tells which."""
    if "://" not in place[0]:
        pytest.skip("a file holds one study")
    with Store(place[0], uuid.uuid4().hex) as other:
        other.create({"name": "b"}, None)
        add(other, 0)
        assert store.trials() == [] and len(other.trials()) == 1
    with pytest.raises(RunError, match="studies are here"):
        Store(place[0])


def test_reports_are_there_after_opening_again(store, place):
    trial = add(store, 0)
    first, again = Report(1, 10, {"val/loss": 0.5}), Report(1, 10, {"val/loss": 0.4})
    assert store.report(0, trial.token, first) and store.curves() == {0: (first,)}
    assert store.report(0, trial.token, again)  # the same epoch, trained again after a crash
    second = Report(2, 20, {"val/loss": 0.3})
    details = {"constraints": {"model/bytes": 5.0}}
    curve = [again, second]
    assert store.finish(0, trial.token, TrialState.DONE, [0.3], curve=curve, details=details)
    with Store(*place) as other:
        assert other.curves() == store.curves() == {0: (again, second)}
        found = other.trials()[0]
    assert (found.epochs, found.details) == (2, details)


def test_a_late_report_is_refused(store, clock):
    trial = add(store, 0)
    clock.now += 11
    assert not store.report(0, trial.token, Report(1, 10, {}))
    assert store.curves() == {}


def test_a_paused_trial_is_taken_only_by_name_and_once(store):
    trial = add(store, 0)
    assert store.finish(0, trial.token, TrialState.PAUSED, [0.1], curve=[Report(1, 1, {})])
    assert store.take("me", 10) is None
    again = store.go_on(0, "me", 10)
    assert (again.state, again.token, again.epochs) == (TrialState.RUNNING, 2, 1)
    assert store.go_on(0, "other", 10) is None
    assert store.finish(0, again.token, TrialState.DONE, [0.2], curve=[Report(1, 1, {}), Report(2, 2, {})])
    assert [(t.values, t.ended) for t in store.trials()] == [((0.2,), 2)]


def test_only_one_result_is_written(store):
    trial = add(store, 0)
    assert store.finish(0, trial.token, TrialState.DONE, [0.5])
    assert not store.finish(0, trial.token, TrialState.DONE, [0.7])
    assert store.trials()[0].values == (0.5,)


def test_a_late_result_of_an_expired_lease_is_refused(store, clock):
    trial = add(store, 0)
    clock.now += 11
    assert not store.finish(0, trial.token, TrialState.DONE, [0.1])
    again = store.take("other", 10)
    assert (again.number, again.token) == (0, trial.token + 1)
    assert not store.finish(0, trial.token, TrialState.DONE, [0.1])
    assert not store.renew(0, trial.token, 10)
    assert store.finish(0, again.token, TrialState.DONE, [0.2])
    assert store.trials()[0].values == (0.2,)


def test_a_renewed_lease_does_not_expire(store, clock):
    trial = add(store, 0)
    clock.now += 9
    assert store.renew(0, trial.token, 10)
    clock.now += 9
    assert store.take("other", 10) is None
    assert store.finish(0, trial.token, TrialState.DONE, [0.1])


def test_a_released_trial_waits_and_counts_the_death(store):
    trial = add(store, 0)
    assert store.release(0, trial.token, "killed", died=True)
    again = store.take("me", 10)
    assert again.deaths == 1 and again.token == 2
    assert not store.release(0, trial.token, "late", died=True)


def test_failed_trials_wait_again_with_one_call(store):
    for number in range(3):
        trial = add(store, number)
        store.finish(number, trial.token, TrialState.FAILED if number else TrialState.DONE, [1.0])
    assert store.retry_failed() == [1, 2]
    taken = [store.take("me", 10).number for _ in range(2)]
    assert taken == [1, 2] and store.take("me", 10) is None
    assert store.trials()[1].retries == 1


def test_two_processes_see_each_other(store, place):
    with Store(*place) as other:
        trial = add(store, 0)
        assert [t.number for t in other.trials()] == [0]
        store.finish(0, trial.token, TrialState.DONE, [1.0])
        assert other.trials()[0].state is TrialState.DONE


def test_many_threads_share_the_writer(store):
    def work(start: int) -> None:
        for number in range(start, 60, 4):
            trial = add(store, number)
            assert store.finish(number, trial.token, TrialState.DONE, [float(number)])

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trials = store.trials()
    assert [t.values for t in trials] == [(float(n),) for n in range(60)]
    assert sorted(t.ended for t in trials) == list(range(1, 61))


def test_one_that_fails_does_not_undo_the_others(store):
    futures = [store._writer.submit(lambda c: 1 / 0), store._writer.submit(lambda c: 7)]
    assert futures[1].result() == 7
    with pytest.raises(ZeroDivisionError):
        futures[0].result()


def test_what_is_committed_outlives_a_kill(place):
    """A process that commits and says so, and is killed while it goes on."""
    script = """
import sys
from trainwright.tune.store import Store
from trainwright.tune.trial import TrialState
store = Store(*sys.argv[1:]); store.create({}, None)
for number in range(100000):
    trial = store.add(number, {"x": number}, owner="me", lease=60, known=number)
    assert store.finish(number, trial.token, TrialState.DONE, [float(number)])
    print(number, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script, *place], stdout=subprocess.PIPE, text=True)
    said = -1
    for line in child.stdout:
        said = int(line)
        if said == 20:
            os.kill(child.pid, signal.SIGKILL)
    child.wait()
    with Store(*place) as store:
        done = [t for t in store.trials() if t.state is TrialState.DONE]
    assert [t.number for t in done] == list(range(len(done)))
    assert len(done) > said >= 20


def test_a_study_of_the_first_layout_is_read_and_gone_on_with(tmp_path):
    path = tmp_path / "old.study"
    with Store(path, "old") as store:
        store.create({}, None)
        add(store, 0)
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE trials DROP COLUMN epochs")
        old.execute("ALTER TABLE trials DROP COLUMN details")
        old.execute("ALTER TABLE trials DROP COLUMN threads")
        old.execute("DROP TABLE reports")
        old.execute("UPDATE studies SET format = 1")
    with Store(path) as store:
        assert store.trials()[0].epochs is None and store.trials()[0].details == {}
        assert store.finish(0, 1, TrialState.DONE, [1.0], curve=[Report(1, 1, {"x": 1.0})])
        assert store.trials()[0].epochs == 1


def test_files_that_are_no_study(tmp_path):
    (tmp_path / "x").write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match="no study") as caught:
        Store(tmp_path / "x", "a")
    assert caught.value.where == str(tmp_path / "x")
    with pytest.raises(RunError, match="no study here"):
        Store(tmp_path / "empty")
    with pytest.raises(UserError, match="no address"):
        Store("nonsense://x/y", "a")


def test_a_damaged_file_is_named_with_its_mend(tmp_path):
    path = tmp_path / "a.study"
    with Store(path, "a") as store:
        store.create({"x": "y" * 100_000}, 3)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged") as caught:
        Store(path, "a").study()
    assert caught.value.where == str(path) and "copy" in caught.value.fix


def test_a_recipe_is_replaced_until_there_is_a_trial(store):
    assert store.replace({"b": 1}, 7).recipe == {"b": 1} and store.study().limit == 7
    store.add(0, {}, owner="me", lease=10, known=0)
    assert store.replace({"c": 1}, 8).recipe == {"b": 1} and store.study().limit == 7


class Counting:
    """Points 0, 1, 2 ..., the second one twice asked for."""

    size = None

    def ask(self, number, history):
        return {"x": number}


def test_a_study_gives_waiting_trials_before_new_ones(store):
    study = Study(store, Counting(), 3)
    first, second = study.next("me", 10), study.next("me", 10)
    store.release(0, first.token, "killed")
    assert study.next("me", 10).number == 0
    assert study.next("me", 10).number == 2 and study.next("me", 10) is None
    assert not study.finished() and second.number == 1
    for trial in store.trials():
        store.finish(trial.number, trial.token, TrialState.DONE, [0.0])
    assert study.finished()


def done(number: int, *values: float) -> Trial:
    return Trial(number, {}, TrialState.DONE, values)


def test_best_of_one_objective():
    trials = [done(0, 0.5), done(1, 0.9), done(2, 0.9), done(3, float("nan"))]
    assert [t.number for t in best(trials, ["maximize"])] == [1]
    assert [t.number for t in best(trials, ["minimize"])] == [0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_is_what_nothing_dominates(points):
    trials = [done(index, float(a), float(b)) for index, (a, b) in enumerate(points)]
    front = {points[t.number] for t in best(trials, ["minimize", "minimize"])}
    slow = {p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)}
    assert front == slow


def test_several_machines_make_the_tables_at_once(postgresql):
    import psycopg

    base = f"new_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {base}")
    url = f"{postgresql.rpartition('/')[0]}/{base}"

    def make(index: int) -> str:
        with Store(url, "a") as store:
            return store.create({"made": "once"}, 3).name

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(8))) == {"a"}
