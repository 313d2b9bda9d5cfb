"""Splits without one object, point or pixel of a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainwright.data.checks.running import run_checks
from trainwright.data.checks.subject import Subject
from trainwright.data.objects import Keypoints, Objects

SIZE = (16, 24)


def picture(count: int, seen: float | None = None, segments: bool = False) -> Objects:
    """Some objects, with points of a visibility where it is given."""
    points = None
    if seen is not None:
        places = np.broadcast_to([3.0, 4.0, seen], (count, 2, 3))
        points = Keypoints(places, ("a", "b"))
    masks = tuple(np.ones(SIZE, dtype=bool) for _ in range(count)) if segments else ()
    boxes = np.array([[2, 3, 12, 13]] * count, dtype=float).reshape(-1, 4)
    return Objects(SIZE, ("cat",) * count, boxes, keypoints=points, segments=masks)


@pytest.fixture
def found(make_data, prepared):
    """What the check says of raw values, three quarters of them for training."""

    def run(values: list[Any], target: dict[str, Any]) -> list[dict[str, Any]]:
        raw = np.empty(len(values), dtype=object)
        raw[:] = values
        images = np.zeros((len(values), *SIZE, 3), dtype=np.uint8)
        data = make_data(
            {"name": "arrays"},
            {"image": {"type": "image"}},
            {"what": target},
            split={"val": 0.25},
        )
        told = prepared(data, memory_data={"image": images, "what": raw})
        findings = run_checks(Subject(told)).found
        return [item for item in findings if item["check"] == "emptiness"]

    return run


KINDS = {
    "boxes": ({"classes": ["cat"]}, lambda full: picture(int(full))),
    "instances": ({"classes": ["cat"]}, lambda full: picture(int(full), segments=True)),
    "keypoints": ({"unannotated": "keep", "classes": ["cat"]}, lambda full: picture(1, 2.0 * full)),
    "mask": (
        {"classes": ["cat", "dog"], "void": [255]},
        lambda full: np.full(SIZE, 1 if full else 255, dtype=np.uint8),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_learn_is_an_error_and_in_validation_a_warning(found, kind):
    options, make = KINDS[kind]
    told = found([make(False)] * 12, {"type": kind, **options})
    assert {(item["severity"], item["count"]) for item in told} == {("error", 9), ("warning", 3)}
    error = next(item for item in told if item["severity"] == "error")
    assert error["why"] == "there is nothing to learn" and "train has" in error["what"]
    assert error["examples"][0]["sample"] == "data.targets.what"


@pytest.mark.parametrize("kind", KINDS)
def test_a_little_is_enough(found, kind):
    options, make = KINDS[kind]
    assert found([make(True)] * 12, {"type": kind, **options}) == []


def test_metrics_that_cannot_be_computed_are_named(found):
    told = found([picture(0)] * 12, {"type": "boxes", "classes": ["cat"]})
    warning = next(item for item in told if item["severity"] == "warning")
    assert "map cannot be computed" in warning["why"] and "val has" in warning["what"]
