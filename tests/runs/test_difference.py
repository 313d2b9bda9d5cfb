"""What two runs do not have in common."""

from __future__ import annotations

import pytest

from trainwright.errors import RunError
from trainwright.runs.difference import MISSING, Change, changes, difference, final_metrics, flatten


def test_flatten_gives_leaves_with_list_numbers():
    assert dict(flatten({"a": {"b": [1, {"c": 2}], "d": {}}, "e": None})) == {
        "a.b.0": 1,
        "a.b.1.c": 2,
        "a.d": {},
        "e": None,
    }


def test_changes_name_both_sides_and_missing_ones():
    assert changes({"a": 1, "b": 2, "same": 0}, {"a": 1.5, "c": 3, "same": 0}) == [
        Change("a", 1, 1.5),
        Change("b", 2, MISSING),
        Change("c", MISSING, 3),
    ]


def test_two_runs(make_run, recipe):
    recipe["train"]["optimizer"]["lr"] = 0.1
    found = difference(make_run(), make_run(salt="aaaaaaaaaa", recipe=recipe, accuracy=0.5))
    assert found.recipe == [Change("train.optimizer.lr", 0.01, 0.1)]
    assert found.metrics == [Change("test/accuracy", 0.97, 0.5)]
    assert found.packages == []


def test_final_metrics_fall_back_to_the_last_logged(make_run):
    assert final_metrics(make_run(accuracy=None)) == {"train/loss": 0.5}


def test_damaged_parts_are_told(make_run):
    run = make_run()
    run.resolved.write_text("a: [")
    with pytest.raises(RunError, match="resolved recipe cannot be read"):
        difference(run, run)
    (run.evaluation("test") / "metrics.json").write_text("{")
    with pytest.raises(RunError, match="evaluation cannot be read"):
        final_metrics(run)


def test_an_unset_key_and_an_absent_one_are_the_same():
    assert changes({"a": None, "b": None}, {"b": 1}) == [Change("b", None, 1)]
