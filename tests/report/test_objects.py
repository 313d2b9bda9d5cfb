"""The analysis of found objects, on tables made by hand."""

import numpy as np
import pytest

from trainwright.data.run_lengths import from_mask, to_text
from trainwright.report.found import with_found
from trainwright.report.objects import analyse_objects, best_threshold


def record(name, box, score=None):
    return {"class": name, "box": list(map(float, box)), **({} if score is None else {"score": score})}


@pytest.fixture
def columns():
    cat, dog = (0, 0, 10, 10), (20, 20, 40, 40)
    return {
        "sample": ["a", "b", "c"],
        "row": np.arange(3),
        "pets": [[record("cat", cat), record("dog", dog)], [record("cat", cat)], []],
        "pets_predicted": [
            [record("dog", dog, 0.9), record("cat", cat, 0.8)],
            [record("dog", cat, 0.7)],
            [record("cat", dog, 0.2)],
        ],
        "pets_loss": np.array([0.1, 2.0, 0.5]),
    }


def test_counts_thresholds_and_precision(columns):
    [result] = analyse_objects("pets", columns, ("cat", "dog"), stem="test-pets")
    # By falling score: right, right, wrong, wrong; three objects are there. F1 after two is 2 * 2 / 5.
    assert (result.threshold, result.f1) == (0.8, pytest.approx(0.8))
    assert [(row.name, row.true, row.found, row.right) for row in result.rows] == [
        ("cat", 2, 1, 1),
        ("dog", 1, 1, 1),
    ]
    # Cats: found at 0.8 (right), 0.2 (wrong); recall 0.5 at precision 1 on the 51 points up to there.
    assert result.rows[0].average_precision == pytest.approx(51 / 101)
    assert result.rows[1].average_precision == pytest.approx(1.0)
    assert result.mean_precision == pytest.approx((51 / 101 + 1) / 2)
    assert {kind: count for kind, count in result.errors.items() if count} == {"right": 2, "missed": 1}
    [matrix] = result.heatmaps
    assert matrix.labels == ("cat", "dog", "nothing")
    assert matrix.counts.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert [mistake.sample for mistake in result.mistakes] == ["b"]


def test_nothing_found_anywhere_is_told_without_a_fault(columns):
    columns["pets_predicted"] = [[], [], []]
    [result] = analyse_objects("pets", columns, ("cat", "dog"), stem="test-pets")
    assert (result.threshold, result.f1, result.mean_precision) == (1.0, 0.0, 0.0)
    assert result.errors["missed"] == 3
    assert result.as_json()["map50"] == 0.0


def test_no_object_at_all_is_no_fault():
    columns = {"sample": ["a"], "pets": [[]], "pets_predicted": [[]]}
    [result] = analyse_objects("pets", columns, ("cat",), stem="test-pets")
    assert result.objects == 0
    assert result.mistakes == []


def test_the_threshold_is_the_one_of_the_largest_f1_also_with_equal_scores():
    scores, hits = np.array([0.9, 0.5, 0.5, 0.5]), np.array([True, False, True, True])
    # At 0.5 all four come in together: three right of four found, of three there.
    assert best_threshold(scores, hits, 3) == (0.5, pytest.approx(2 * 3 / 7))


def test_boxes_are_drawn_where_they_are():
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    drawn = with_found(pixels, [record("cat", (20, 40, 60, 80))], [], 100)
    assert drawn.shape == (50, 100, 3)
    assert drawn[20:41, 10].min() == 255  # left edge, at half the size
    assert drawn[30, 20].max() == 0  # inside


def mask(pixels):
    runs = from_mask(np.asarray(pixels, dtype=bool))
    return {"size": list(runs.size), "counts": to_text(runs)}


def test_masks_decide_where_there_are_any(columns):
    # The box is right, the mask within it is not; the other way round in the second picture.
    columns["pets_predicted"] = [
        [
            record("dog", (20, 20, 40, 40), 0.9) | {"overlaps": [0.0, 0.3]},
            record("cat", (0, 0, 10, 10), 0.8) | {"overlaps": [0.7, 0.0]},
        ],
        [record("cat", (30, 30, 40, 40), 0.7) | {"overlaps": [0.6]}],
        [],
    ]
    [result] = analyse_objects("pets", columns, ("cat", "dog"), stem="test-pets")
    assert result.measure == "masks" and result.as_json()["overlap_of"] == "masks"
    assert {kind: count for kind, count in result.errors.items() if count} == {"right": 2, "localisation": 1}
    [matrix] = result.heatmaps
    assert matrix.counts.tolist() == [[2, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert "overlap of the masks" in result.charts[0].note


def test_masks_are_painted_where_they_are():
    pixels = np.zeros((20, 40, 3), dtype=np.uint8)
    left, right = np.zeros((20, 40), bool), np.zeros((20, 40), bool)
    left[4:16, 4:16], right[4:16, 24:36] = True, True
    found = [{"class": "cat", "box": [4, 4, 16, 16], "mask": mask(left)}]
    true = [{"class": "cat", "box": [24, 4, 36, 16], "mask": mask(right)}]
    drawn = with_found(pixels, true, found, largest=40)
    assert drawn[13, 9].max() > 0 and drawn[2, 9].max() == 0 and drawn[10, 20].max() == 0
    # Of the true object the outline alone, in white.
    assert drawn[10, 30].max() == 0 and drawn[10, 24].tolist() == [255, 255, 255]
    small = with_found(pixels, true, found, largest=20)
    assert small.shape == (10, 20, 3) and small[6, 4].max() > 0


def test_points_decide_where_there_are_any(columns):
    [[dog, _], *_] = columns["pets_predicted"]
    dog |= {"overlaps": [0.0, 0.9], "points": [[25, 25, 2]]}
    [result] = analyse_objects("pets", columns, ("cat", "dog"), stem="test-pets")
    assert result.measure == "points" and "similarity of the points" in result.rule


def test_boxes_in_space_are_drawn_as_their_edges():
    pixels = np.zeros((60, 60, 3), dtype=np.uint8)
    square = [(10, 10), (50, 10), (50, 50), (10, 50)]
    corners = [[x, y, 5.0] for x, y in square] + [[x, y, -1.0] for x, y in square]
    cuboid = record("cat", (10, 10, 50, 50)) | {"corners": corners}
    drawn = with_found(pixels, [cuboid], [], 60)
    # The ring in front of the camera alone; what ends behind it is left out.
    assert drawn[10, 30].min() == 255 and drawn[30, 50].min() == 255 and drawn[30, 30].max() == 0
    crossed = with_found(pixels, [cuboid | {"corners": [[x, y, 5.0] for x, y in square * 2]}], [], 60)
    assert crossed[30, 30].max() == 0
    far = [[x * 1e9, y, 5.0] for x, y in square * 2]
    assert with_found(pixels, [cuboid | {"corners": far}], [], 60).shape == (60, 60, 3)
