import numpy as np

from trainwright.data.checks.running import run_checks
from trainwright.data.checks.subject import Subject


def test_a_group_in_two_splits_is_an_error_and_its_training_part_goes(make_data, prepared):
    parts = {}
    for split, first in (("train", 0), ("test", 30)):
        rows = np.arange(first, first + (30 if split == "train" else 10))
        parts[split] = {
            "x": np.random.default_rng(first).normal(size=(len(rows), 2)),
            "y": rows % 2,
            "patient": np.array([f"p{row // 4}" for row in rows]),
        }
    section = make_data(
        {"name": "arrays"}, {"x": {"type": "number"}}, {"y": {"type": "category"}}, split={"group": "patient"}
    )
    findings = run_checks(Subject(prepared(section, memory_data=parts)))
    (found,) = [item for item in findings.found if item["check"] == "groups"]
    # Patients of four rows each: only p7, rows 28 to 31, is in both.
    assert (found["severity"], found["count"]) == ("error", 1)
    assert found["examples"][0]["detail"] == "group p7: 2 in train, 2 in test"
    assert [fix.sample for fix in findings.fixes] == ["row 28", "row 29"]


def test_a_split_by_groups_is_in_order(make_data, prepared):
    columns = {
        "x": np.random.default_rng(0).normal(size=(60, 2)),
        "y": np.arange(60) % 2,
        "patient": np.arange(60) // 4,
    }
    section = make_data(
        {"name": "arrays"},
        {"x": {"type": "number"}},
        {"y": {"type": "category"}},
        split={"val": 0.3, "group": "patient"},
    )
    findings = run_checks(Subject(prepared(section, memory_data=columns)))
    assert [item for item in findings.found if item["check"] == "groups"] == []
    assert findings.checked["val"] in range(16, 21)
