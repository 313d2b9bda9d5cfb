"""Reading metrics: one series per name, whatever was repeated."""

from __future__ import annotations

import csv
import json

import pytest

from trainwright.errors import RunError
from trainwright.runs.metrics import epoch_rows, last_values, read_metrics, read_records, write_results


def line(step: int, attempt: int, epoch: int = 0, **values: float | str) -> str:
    return (
        json.dumps({"step": step, "epoch": epoch, "attempt": attempt, "time": 1.0, "values": values}) + "\n"
    )


@pytest.fixture
def resumed(tmp_path):
    """Attempt 1 came to step 4; attempt 2 went on from step 2 and repeated one of the later ones."""
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        line(1, 1, x=1.0)
        + line(2, 1, x=2.0)
        + line(3, 1, x=3.0, y=1.0)
        + line(4, 1, x=4.0)
        + line(3, 2, x=3.5)
        + line(5, 2, 1, x=5.5)
    )
    return path


def test_highest_attempt_wins_per_key_and_step(resumed):
    assert read_metrics(resumed) == {
        "x": [(1, 1.0), (2, 2.0), (3, 3.5), (4, 4.0), (5, 5.5)],
        "y": [(3, 1.0)],
    }


def test_abandoned_steps_are_left_out_when_the_restart_is_known(resumed):
    assert read_metrics(resumed, {2: 2}) == {"x": [(1, 1.0), (2, 2.0), (3, 3.5), (5, 5.5)]}


def test_order_of_the_file_does_not_matter(tmp_path):
    (tmp_path / "m").write_text(line(3, 2, x=2.0) + line(3, 1, x=1.0) + line(1, 1, x=0.0))
    assert read_metrics(tmp_path / "m") == {"x": [(1, 0.0), (3, 2.0)]}


@pytest.mark.parametrize("tail", ['{"step": 9', "\0\0\0", '{"step": 9}\n', "garbage\n"])
def test_torn_last_line_is_dropped(resumed, tail):
    before = read_metrics(resumed)
    with resumed.open("a") as file:
        file.write(tail)
    assert read_metrics(resumed) == before


def test_damage_in_the_middle_is_told_with_its_line(resumed):
    lines = resumed.read_text().splitlines(keepends=True)
    resumed.write_text("".join([lines[0], "garbage\n", *lines[1:]]))
    with pytest.raises(RunError, match=r"metrics\.jsonl:2"):
        list(read_records(resumed))


def test_no_file_is_no_metrics(tmp_path):
    assert read_metrics(tmp_path / "m") == {}
    assert last_values(tmp_path / "m") == {}


def test_values_that_json_lacks(tmp_path):
    (tmp_path / "m").write_text(line(1, 1, x="Infinity", y="NaN"))
    series = read_metrics(tmp_path / "m")
    assert series["x"] == [(1, float("inf"))]
    assert series["y"][0][1] != series["y"][0][1]


def test_one_row_per_epoch_with_the_last_value(tmp_path):
    path = tmp_path / "m"
    path.write_text(
        line(1, 1, 0, loss=3.0)
        + line(2, 1, 0, loss=2.0)
        + line(2, 1, 0, **{"val/loss": 2.5})
        + line(3, 1, 1, loss=1.0)
    )
    assert epoch_rows(path) == [
        {"epoch": 1, "step": 2, "loss": 2.0, "val/loss": 2.5},
        {"epoch": 2, "step": 3, "loss": 1.0},
    ]
    write_results(tmp_path / "results.csv", path)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"epoch": "2", "step": "3", "loss": "1.0", "val/loss": ""}


def test_a_repeated_epoch_takes_the_later_attempt(tmp_path):
    path = tmp_path / "m"
    path.write_text(line(9, 1, 0, loss=9.0) + line(4, 2, 0, loss=4.0))
    assert epoch_rows(path)[0]["loss"] == 4.0


def test_last_values_reads_only_the_end(tmp_path):
    path = tmp_path / "m"
    path.write_text(line(0, 1, early=1.0) + "".join(line(step, 1, x=float(step)) for step in range(3000)))
    assert last_values(path) == {"x": 2999.0}


def test_an_epoch_shows_of_its_steps_what_differs_from_its_own_values(tmp_path):
    path = tmp_path / "m"
    path.write_text(
        line(1, 1, 0, **{"step/loss": 3.0, "step/accuracy": 0.5, "step/lr": 0.1})
        + line(2, 1, 0, **{"step/loss": 2.0, "step/accuracy": 0.6, "step/lr": 0.2})
        + line(2, 1, 0, **{"train/loss": 2.5, "train/accuracy": 0.6, "lr": 0.2})
    )
    assert epoch_rows(path) == [
        {"epoch": 1, "step": 2, "step/loss": 2.0, "train/loss": 2.5, "train/accuracy": 0.6, "lr": 0.2}
    ]
