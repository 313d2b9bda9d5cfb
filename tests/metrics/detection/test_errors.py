"""Kinds of errors, on scenes drawn by hand."""

import numpy as np
import pytest

from trainwright.metrics.detection.errors import error_kinds
from trainwright.metrics.detection.scenes import Scene

BOX = (10, 10, 30, 30)


def scene(*objects):
    """Objects as (box, label)."""
    return Scene(
        np.array([box for box, _ in objects], dtype=float).reshape(-1, 4),
        np.array([label for _, label in objects], dtype=np.int64),
        np.linspace(1, 0.5, len(objects)),
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(BOX, 0)], {"right": 1}),
        ([(BOX, 1)], {"classification": 1}),
        ([((10, 10, 30, 18), 0)], {"localisation": 1}),  # IoU 0.4
        ([((10, 10, 30, 18), 1)], {"both": 1, "missed": 1}),
        ([(BOX, 0), ((11, 10, 31, 30), 0)], {"right": 1, "duplicate": 1}),
        ([((60, 60, 80, 80), 0)], {"background": 1, "missed": 1}),
        ([], {"missed": 1}),
        ([(BOX, 0), (BOX, 1)], {"right": 1, "classification": 1}),
    ],
)
def test_every_kind_is_told(found, expected):
    counts = error_kinds(scene(*found), scene((BOX, 0)))
    assert {kind: count for kind, count in counts.items() if count} == expected


def test_an_empty_picture_has_background_errors_only():
    counts = error_kinds(scene((BOX, 0), (BOX, 1)), scene())
    assert {kind: count for kind, count in counts.items() if count} == {"background": 2}
