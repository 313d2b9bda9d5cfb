"""The analysis of targets of several classes per sample, by hand, and its page."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainwright.inference.vector_columns import categories_columns
from trainwright.report.build import build_report
from trainwright.report.categories import analyse_categories

CLASSES = ("old", "rare", "tall")
PROBABILITIES = np.array([[0.9, 0.1, 0.8], [0.2, 0.3, 0.1], [0.4, 0.2, 0.7], [0.6, 0.1, 0.4], [np.nan] * 3])
TRUE = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1], [0, 0, 1], [1, 1, 1]])


@pytest.fixture
def columns():
    told = categories_columns(
        "tags", CLASSES, PROBABILITIES, true=TRUE, loss=np.array([0.1, 0.2, 0.5, 0.9, 1])
    )
    return {"sample": list("abcde"), "row": np.arange(5), **told}


def test_counts_areas_and_mistakes_by_hand(columns):
    [result] = analyse_categories("tags", columns, CLASSES, stem="test-tags")
    assert (result.total, result.left_out, result.exact) == (4, 1, 2)
    old, rare, tall = result.rows
    assert (old.support, old.predicted, old.precision, old.recall) == (2, 2, 0.5, 0.5)
    # Old: right, wrong, right by falling probability.
    assert old.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert old.auroc == pytest.approx(3 / 4)
    assert (tall.precision, tall.recall) == (1, pytest.approx(2 / 3))
    assert rare.support == 0
    assert np.isnan(rare.average_precision)
    assert result.mean_precision == pytest.approx((old.average_precision + 1) / 2)
    assert result.micro_f1 == pytest.approx(2 * 3 / (4 + 5))
    assert [(m.sample, m.true, m.predicted) for m in result.mistakes] == [
        ("d", "tall", "old"),
        ("c", "old, tall", "tall"),
    ]


def test_a_page_with_such_a_target(make_run, columns):
    run = make_run()
    run.columns["test"] = columns
    run.classes["tags"] = CLASSES
    run.targets["tags"] = {"type": "categories", "column": "tags", "state": {"classes": list(CLASSES)}}
    path = run.write()
    page = build_report(path).read_text()
    assert "Mean average precision" in page
    assert "nothing can be said of" in page
    told = json.loads((path / "report.json").read_text())["splits"]["test"]["targets"]["tags"]
    assert told["exact"] == 2
    assert told["rows"][1]["average_precision"] is None
