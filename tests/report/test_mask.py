"""The analysis of maps of classes, by hand and with scikit-learn, and its page."""

import json

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from trainwright.inference.answers import _of_confusion
from trainwright.inference.predictions import read_predictions
from trainwright.report.build import build_report
from trainwright.report.mask import analyse_mask

CLASSES = ("sky", "road", "tree", "never")


@pytest.fixture
def maps():
    draw = np.random.default_rng(0)
    true = draw.integers(0, 3, (10, 8, 9))
    wrong = draw.random(true.shape) < np.linspace(0.1, 0.8, 10)[:, None, None]
    predicted = np.where(wrong, draw.integers(0, 3, true.shape), true)
    true[:, :2] = 255
    true[4] = 255
    return true, predicted


@pytest.fixture
def columns(maps):
    counts = []
    for true, predicted in zip(*maps, strict=True):
        known = true != 255
        ids = range(len(CLASSES))
        empty = np.zeros((len(CLASSES),) * 2, int)
        counts.append(confusion_matrix(true[known], predicted[known], labels=ids) if known.any() else empty)
    told = _of_confusion("ground", np.array(counts, dtype=np.int32))
    return {"sample": [f"{row}.png" for row in range(10)], "row": np.arange(10), **told}


def test_classes_are_those_of_scikit_learn(maps, columns):
    true, predicted = maps
    [result] = analyse_mask("ground", columns, CLASSES, stem="test-ground")
    known = true != 255
    want = jaccard_score(true[known], predicted[known], labels=range(3), average=None)
    np.testing.assert_allclose([row.iou for row in result.rows[:3]], want)
    assert np.isnan(result.rows[3].iou) and result.rows[3].taken_for == ""
    assert result.miou == pytest.approx(want.mean())
    assert result.accuracy == pytest.approx((true == predicted)[known].mean())
    assert result.miou_interval.low < result.miou < result.miou_interval.high
    assert result.accuracy_interval.low < result.accuracy < result.accuracy_interval.high
    [matrix] = result.heatmaps
    np.testing.assert_array_equal(
        matrix.counts, confusion_matrix(true[known], predicted[known], labels=range(4))
    )
    assert (result.total, result.pixels) == (9, known.sum())


def test_worst_pictures_and_confused_classes_by_hand():
    counts = np.array([[[2, 2], [0, 0]], [[4, 0], [0, 4]], [[0, 0], [0, 0]], [[0, 0], [3, 1]]])
    columns = {"sample": list("abcd"), "row": np.arange(4), **_of_confusion("m", counts)}
    [result] = analyse_mask("m", columns, ("x", "y"), stem="m")
    # a: x 2/4, y 0/2; d: x 0/3, y 1/4; c shows nothing.
    assert [(m.sample, m.predicted) for m in result.mistakes] == [("d", 0.125), ("a", 0.25), ("b", 1.0)]
    assert [row.taken_for for row in result.rows] == ["y", "x"]
    assert [row.iou for row in result.rows] == [6 / 11, 5 / 10]


def test_of_many_classes_the_most_confused_are_shown():
    counts = np.diag(np.full(40, 9))[None].copy()
    counts[0, 37, 2] = 5
    names = [f"c{place}" for place in range(40)]
    columns = {"sample": ["a"], **_of_confusion("m", counts)}
    [matrix] = analyse_mask("m", columns, names, stem="m")[0].heatmaps
    assert len(matrix.labels) == 25
    first, second = matrix.labels.index("c37"), matrix.labels.index("c2")
    assert matrix.counts[first, second] == 5 and matrix.totals[first] == 14


def test_a_page_with_truth_and_answer_side_by_side(make_run, columns, read_page):
    run = make_run()
    run.columns["test"], run.classes["ground"] = columns, CLASSES
    run.targets["ground"] = {"type": "mask", "column": "ground", "state": {}}
    path = run.write()
    read = read_predictions(path / "evaluation/test/predictions.parquet")
    assert read["ground_confusion"] == columns["ground_confusion"]
    report = build_report(path, picture=lambda row: np.zeros((80, 308, 3), dtype=np.uint8))
    page = read_page(report)
    assert "void" in page.text and "Mean IoU" in page.text and not page.problems
    assert len(page.images) == 8
    told = json.loads((path / "report.json").read_text())["splits"]["test"]["targets"]["ground"]
    assert told["type"] == "mask" and told["classes"]["never"]["iou"] is None
    assert "Most taken for" in read_page(build_report(path)).text


def test_without_a_labelled_pixel_there_is_no_section():
    columns = {"sample": ["a"], **_of_confusion("m", np.zeros((1, 2, 2), int))}
    assert analyse_mask("m", columns, ("x", "y"), stem="m") == []
    assert analyse_mask("m", {"sample": ["a"]}, ("x", "y"), stem="m") == []
