"""What an index holds of a run's metrics is what its spool says, however it was fed."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from trainwright.runs.directory import RunDirectory
from trainwright.runs.following import Mark, read_batch
from trainwright.runs.index.database import Database, IndexUnavailable
from trainwright.runs.index.facts import read_facts
from trainwright.runs.index.runs_table import RunIndex
from trainwright.runs.index.schema import FORMAT, make_tables
from trainwright.runs.index.syncing import open_index
from trainwright.runs.metrics import MetricRecord, Series, read_metrics
from trainwright.runs.spool import Spool

MakeRun = Callable[..., RunDirectory]


def records_of(run: RunDirectory) -> list[MetricRecord]:
    return read_batch(run.metrics_file, Mark())[0]


def equal(left: Series, right: Series) -> bool:
    def text(series: Series) -> dict[str, list[str]]:
        return {key: [f"{step} {value}" for step, value in values] for key, values in series.items()}

    return text(left) == text(right)


def write_attempts(run: RunDirectory, seed: int) -> dict[int, int]:
    """A run that was resumed several times, each time some steps back; gives where it went on."""
    draw = np.random.default_rng(seed)
    record = run.record()
    run.metrics_file.unlink()
    step = 0
    for attempt in range(1, 5):
        if attempt > 1:
            step = max(0, step - int(draw.integers(0, 8)))
            record.begin(from_step=step)
        with Spool(run.metrics_file, attempt=attempt) as spool:
            for _ in range(int(draw.integers(1, 20))):
                step += 1
                values = {"train/loss": draw.normal(), "lr": float(draw.choice([0.1, math.nan, math.inf]))}
                spool.log(step, step // 5, values)
    run.save(record)
    return record.resumed_from


@pytest.mark.parametrize("seed", range(3))
def test_fed_in_pieces_twice_over_it_equals_the_spool(
    index: RunIndex, make_run: MakeRun, salt: str, seed: int
) -> None:
    run = make_run(salt=salt)
    resumed_from = write_attempts(run, seed)
    number = index.put([read_facts(run)])[run.id]
    lines = records_of(run)
    cuts = sorted(np.random.default_rng(seed).integers(0, len(lines), 4).tolist())
    for first, last in itertools.pairwise([0, *cuts, len(lines)]):
        for _ in range(2):
            index.take(number, lines[max(0, first - 3) : last], Mark(last, "x"), resumed_from)
    assert equal(index.series(number), read_metrics(run.metrics_file, resumed_from))
    assert index.mark(number) == Mark(len(lines), "x")


def test_steps_that_a_resume_abandoned_are_removed(index: RunIndex, make_run: MakeRun, salt: str) -> None:
    run = make_run(salt=salt)
    number = index.put([read_facts(run)])[run.id]
    index.take(number, records_of(run), Mark(1, "x"), {})
    assert [step for step, _ in index.series(number)["train/loss"]] == [10, 20]
    record = run.record()
    record.begin(from_step=10)
    run.save(record)
    index.put([read_facts(run)])
    assert [step for step, _ in index.series(number)["train/loss"]] == [10]


def test_an_earlier_attempt_never_replaces_a_later_one(index: RunIndex, make_run: MakeRun, salt: str) -> None:
    number = index.put([read_facts(make_run(salt=salt))])[f"digits-{salt}"]

    def record(attempt: int, value: float) -> MetricRecord:
        return MetricRecord(step=5, epoch=0, attempt=attempt, time=1.0, values={"loss": value})

    for order in ([record(2, 0.2), record(1, 0.1)], [record(1, 0.1)]):
        index.take(number, order, Mark(1, "x"), {2: 5})
    assert index.series(number) == {"loss": [(5, 0.2)]}


def test_a_run_put_again_keeps_its_curves_and_loses_what_it_no_longer_has(
    index: RunIndex, make_run: MakeRun, salt: str
) -> None:
    run = make_run(salt=salt)
    number = index.put([read_facts(run)])[run.id]
    index.take(number, records_of(run), Mark(7, "x"), {})
    (run.evaluation("test") / "metrics.json").write_text('{"f1": 0.5}')
    assert index.put([read_facts(run)])[run.id] == number
    assert index.all_last_values([number]) == {number: {"test/f1": 0.5}}
    assert index.recipe_values("train.optimizer.lr", [number])[number] == 0.01
    assert index.mark(number) == Mark(7, "x") and len(index.series(number)["train/loss"]) == 2


def test_numbers_that_are_none_come_back(index: RunIndex, make_run: MakeRun, salt: str) -> None:
    number = index.put([read_facts(make_run(salt=salt))])[f"digits-{salt}"]
    values = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1e-300}
    index.take(number, [MetricRecord(1, 0, 1, 0.0, values)], Mark(1, "x"), {})
    found = {key: series[0][1] for key, series in index.series(number).items()}
    assert math.isnan(found.pop("a")) and found == {"b": math.inf, "c": -math.inf, "d": 1e-300}


def test_folders_in_one_database_do_not_see_each_other(
    place: str, index: RunIndex, make_run: MakeRun, tmp_path: Path, salt: str
) -> None:
    (tmp_path / "other").mkdir()
    other = open_index(place, tmp_path / "other")
    facts = [read_facts(make_run(salt=f"{digit}{salt[1:]}")) for digit in "123"]
    first = index.put(facts[:1])[facts[0].row.id]
    assert list(index.entries()) == [facts[0].row.id] and other.entries() == {} and other.keys() == []
    between = other.put(facts[1:2])[facts[1].row.id]
    last = index.put(facts[2:])[facts[2].row.id]
    assert first < between < last
    assert list(index.last_values("test/accuracy", [first, last])) == [first, last]
    assert list(other.last_values("test/accuracy", {between})) == [between]
    assert other.last_values("test/accuracy", []) == {}
    other.close()


def test_removed_runs_leave_nothing(index: RunIndex, make_run: MakeRun, salt: str) -> None:
    run = make_run(salt=salt)
    number = index.put([read_facts(run)])[run.id]
    index.take(number, records_of(run), Mark(7, "x"), {})
    index.remove([run.id])
    for table in ("metrics", "last_values", "recipe_values", "tags"):
        assert index.database.rows(f"SELECT * FROM {table} WHERE run = ?", [number]) == []
    assert index.entries() == {}


WRITE = """
import sys
from trainwright.runs.following import Mark
from trainwright.runs.index.syncing import open_index
from trainwright.runs.metrics import MetricRecord
place, folder, number, who = sys.argv[1:]
index = open_index(place, folder)
for step in range(150):
    values = {f"{who}/{key}": float(step) for key in range(5)}
    index.take(int(number), [MetricRecord(step, 0, 1, 0.0, values)], Mark(step, who), {})
"""


def test_two_write_and_one_reads_without_ever_finding_it_locked(
    place: str, index: RunIndex, make_run: MakeRun, salt: str
) -> None:
    number = index.put([read_facts(make_run(salt=salt))])[f"digits-{salt}"]
    script: Sequence[str] = [sys.executable, "-c", WRITE, place, index.path, str(number)]
    writers = [subprocess.Popen([*script, who], stderr=subprocess.PIPE, text=True) for who in ("a", "b")]
    read = 0
    while any(writer.poll() is None for writer in writers):
        reader = open_index(place, index.path)
        for key, series in reader.series(number).items():
            assert [step for step, _ in series] == list(range(len(series))), key
        read += 1
        reader.close()
    assert [writer.communicate()[1] for writer in writers] == ["", ""] and read > 1
    found = index.series(number)
    assert {key: len(series) for key, series in found.items()} == {
        f"{who}/{key}": 150 for who in "ab" for key in range(5)
    }


def test_an_older_layout_is_made_anew_and_a_newer_one_left_alone(place: str, tmp_path: Path) -> None:
    database = Database(str(tmp_path / "own.sqlite"))
    make_tables(database)
    database.change("UPDATE index_format SET number = ?", [FORMAT + 1])
    with pytest.raises(IndexUnavailable, match="newer version"):
        make_tables(database)
    database.change("UPDATE index_format SET number = ?", [FORMAT - 1])
    database.change("DROP TABLE tags")
    if FORMAT > 1:
        make_tables(database)
        assert database.rows("SELECT * FROM tags") == []
    database.close()


def test_a_table_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "own.sqlite"))
    database.change("CREATE TABLE runs (mine TEXT)")
    with pytest.raises(Exception, match="none of ours"):
        make_tables(database)
    database.close()
