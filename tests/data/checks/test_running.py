import numpy as np
import pytest

from trainwright.data.checks import CHECKS
from trainwright.data.checks.running import checked_before, remember, run_checks
from trainwright.data.checks.subject import Subject
from trainwright.data.objects import Objects
from trainwright.errors import RecipeError

RNG = np.random.default_rng(0)


@pytest.fixture
def found(make_data, prepared):
    """Findings on arrays as a list, with the recipe's inputs, targets and splits."""

    def run(columns, inputs, targets, *, skip=(), **rest):
        data = make_data({"name": "arrays"}, inputs, targets, **({"split": {"val": 0.25}} | rest))
        return run_checks(Subject(prepared(data, memory_data=columns)), skip)

    return run


def by_check(findings, check):
    return [item for item in findings.found if item["check"] == check]


def test_good_data_have_no_findings(found):
    columns = {"x": RNG.normal(size=(80, 3)), "y": np.arange(80) % 2}
    findings = found(columns, {"x": {"type": "number"}}, {"y": {"type": "category"}})
    assert findings.found == []
    assert findings.checked == {"train": 60, "val": 20}


def test_constant_and_far_values_are_told_with_their_rows(found):
    x = RNG.normal(size=(80, 2))
    x[:, 1] = 4.0
    x[17, 0] = -999
    columns = {"x": x, "y": np.arange(80) % 2}
    told = by_check(found(columns, {"x": {"type": "number"}}, {"y": {"type": "category"}}), "numbers")
    assert [(item["severity"], item["count"]) for item in told] == [("warning", 1), ("warning", 80)]
    assert told[0]["examples"][0]["row"] == 17


def test_a_constant_target_is_an_error(found):
    columns = {"x": RNG.normal(size=(40, 2)), "y": np.full(40, 2.5)}
    told = found(columns, {"x": {"type": "number"}}, {"y": {"type": "number"}})
    assert told.counts["error"] == 1


def pictures(count=60):
    return RNG.integers(0, 256, (count, 20, 20, 3), dtype=np.uint8)


def test_a_held_out_copy_with_another_label_is_leakage_too(found):
    x, y = pictures(), np.arange(60) % 2
    x[45], y[45], y[5] = x[5], 1, 0
    split = {"train": np.arange(40), "test": np.arange(40, 60)}
    data = {name: {"x": x[rows], "y": y[rows]} for name, rows in split.items()}
    findings = found(data, {"x": {"type": "image"}}, {"y": {"type": "category"}}, split=None)
    [told] = by_check(findings, "duplicates")
    assert (told["severity"], told["count"]) == ("error", 2)
    assert told["what"].endswith("1 of them held out and in another split too")


def test_equal_pictures_in_two_splits_are_leakage(found):
    x = pictures()
    split = {"train": np.arange(40), "test": np.arange(40, 60)}
    x[45] = x[5]
    x[6] = x[5]
    x[30] = x[31]
    y = np.zeros(60, dtype=int)
    y[::2] = 1
    y[[5, 6, 45, 30, 31]] = 1
    data = {name: {"x": x[rows], "y": y[rows]} for name, rows in split.items()}
    findings = found(data, {"x": {"type": "image"}}, {"y": {"type": "category"}}, split=None)
    leak, repeated = by_check(findings, "duplicates")
    assert (leak["severity"], leak["count"], leak["fixable"]) == ("error", 1, True)
    assert (leak["examples"][0]["row"], repeated["count"]) == (45, 1)
    # The held-out sample stays, its copies in training go; of two in training the first stays.
    assert {fix.sample for fix in findings.fixes} == {"row 5", "row 6", "row 31"}


def test_equal_pictures_with_different_labels_are_a_conflict_and_not_leakage(found):
    x, y = pictures(), np.arange(60) % 2
    x[10] = x[21]
    told = by_check(
        found({"x": x, "y": y}, {"x": {"type": "image"}}, {"y": {"type": "category"}}), "duplicates"
    )
    assert [item["what"] for item in told] == ["samples with equal inputs have different labels (y)"]
    assert told[0]["count"] == 2


def test_equal_rows_of_a_table_are_only_a_notice(found):
    x = RNG.normal(size=(40, 2))
    x[30] = x[3]
    columns = {"x": x, "y": RNG.normal(size=40)}
    told = by_check(found(columns, {"x": {"type": "number"}}, {"y": {"type": "number"}}), "duplicates")
    assert {item["severity"] for item in told} == {"notice"}


def test_a_skipped_check_is_not_made(found):
    columns = {"x": np.ones((40, 1)), "y": np.arange(40) % 2}
    findings = found(columns, {"x": {"type": "number"}}, {"y": {"type": "category"}}, skip=["numbers"])
    assert by_check(findings, "numbers") == []


def test_an_unknown_name_to_skip_is_refused_with_the_nearest(found):
    columns = {"x": RNG.normal(size=(40, 1)), "y": np.arange(40) % 2}
    with pytest.raises(RecipeError, match="duplicates"):
        found(columns, {"x": {"type": "number"}}, {"y": {"type": "category"}}, skip=["duplicate"])


def test_what_was_found_is_remembered_for_the_same_data_only(make_data, prepared, tmp_path):
    columns = {"x": RNG.normal(size=(40, 1)), "y": np.arange(40) % 2}
    section = make_data(
        {"name": "arrays"}, {"x": {"type": "number"}}, {"y": {"type": "category"}}, split={"val": 0.25}
    )
    data = prepared(section, memory_data=columns)
    findings = run_checks(Subject(data))
    remember(data, tmp_path, {"skip": []}, findings)
    assert checked_before(data, tmp_path, {"skip": []}) == findings
    assert checked_before(data, tmp_path, {"skip": ["numbers"]}) is None
    other = prepared(section, memory_data=columns | {"x": columns["x"] + 1})
    assert checked_before(other, tmp_path, {"skip": []}) is None


def test_every_check_can_be_found():
    from importlib import import_module

    for place in CHECKS.values():
        module, _, function = place.partition(":")
        assert callable(getattr(import_module(module), function))


def test_equal_pictures_with_other_objects_are_a_conflict_that_leaves_both_out(found):
    def boxes(label):
        return Objects((20, 20), (label,), np.array([[2.0, 3, 9, 9]]))

    x = pictures(40)
    x[7] = x[3]
    x[9] = x[8]
    objects = [boxes("cat") for _ in range(40)]
    objects[7] = boxes("dog")
    columns = {"image": list(x), "objects": objects}
    target = {"boxes": {"type": "boxes", "column": "objects"}}
    rows = {"split": {"val": 0.0}}
    findings = found(columns, {"image": {"type": "image"}}, target, **rows)
    conflict, repeated = by_check(findings, "duplicates")
    assert (conflict["count"], conflict["severity"]) == (2, "warning")
    assert "different labels (boxes)" in conflict["what"] and repeated["count"] == 1
    assert [fix.sample for fix in findings.fixes] == ["row 3", "row 7", "row 9"]
    both = found(
        {"image": [x[3], x[7]], "objects": objects[6:8]}, {"image": {"type": "image"}}, target, **rows
    )
    assert by_check(both, "duplicates")[0]["fixable"] is False


def test_a_far_value_among_several_is_told_alone(found):
    x = RNG.normal(size=(80, 3))
    x[17, 1] = -999.5
    columns = {"x": x, "y": np.arange(80) % 2}
    told = by_check(found(columns, {"x": {"type": "number"}}, {"y": {"type": "category"}}), "numbers")
    assert [example["detail"] for example in told[0]["examples"]] == ["-999.5"]
