"""The comparison behind `verify resume`: one changed bit is found, wherever it is."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from trainwright.errors import RunError
from trainwright.workflows.verifying import Verification, _compare_trees, verify_resume

TREE = {
    "weights": {"a": torch.tensor([1.0, float("nan")]), "b": torch.tensor(3)},
    "sums": [0.5, math.nan],
    "step": 7,
    "name": "x",
}


def differences(left, right) -> list[str]:
    found = Verification()
    _compare_trees("state", left, right, found)
    return [line.partition(":")[0] for line in found.differences]


def test_equal_trees_with_nan_are_equal():
    assert differences(TREE, copy.deepcopy(TREE)) == []


def changed(change) -> dict:
    tree = copy.deepcopy(TREE)
    change(tree)
    return tree


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t["weights"]["a"].__setitem__(0, 1.0000001), "state/weights/a"),
        (lambda t: t["weights"].update(a=t["weights"]["a"].double()), "state/weights/a"),
        (lambda t: t["weights"].update(b=torch.tensor([3])), "state/weights/b"),
        (lambda t: t["sums"].__setitem__(0, 0.5000000001), "state/sums/0"),
        (lambda t: t["sums"].__setitem__(1, 0.0), "state/sums/1"),
        (lambda t: t.update(step=7.0), "state/step"),
        (lambda t: t.update(name="y"), "state/name"),
        (lambda t: t.pop("name"), "state/name"),
        (lambda t: t.update(more=1), "state/more"),
    ],
)
def test_any_changed_leaf_is_named(change, where):
    assert differences(TREE, changed(change)) == [where]


def test_negative_zero_is_another_bit():
    assert differences({"a": torch.tensor(0.0)}, {"a": torch.tensor(-0.0)}) == ["state/a"]
    assert differences({"a": 0.0}, {"a": -0.0}) == ["state/a"]


def test_a_budget_in_minutes_cannot_be_verified(tmp_path):
    with pytest.raises(RunError, match=r"train\.minutes"):
        verify_resume("digits", ["train.epochs=null", "train.minutes=1"], tmp_path)
