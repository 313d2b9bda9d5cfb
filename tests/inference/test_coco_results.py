"""COCO's results file, read back by pycocotools."""

import json

import numpy as np
import pytest

from trainwright.errors import UserError
from trainwright.inference.coco_results import coco_results
from trainwright.inference.predictions import Predictions


def predictions(**columns):
    return Predictions({"sample": ["pics/000042.jpg", "b.jpg"], **columns}, {"pets": ("cat", "dog")})


FOUND = [[{"class": "dog", "score": 0.9, "box": [10.0, 20.0, 40.5, 60.0]}], []]


def test_boxes_become_corner_and_size_and_numbers_of_files_are_ids():
    assert json.loads(coco_results(predictions(pets_predicted=FOUND))) == [
        {"image_id": 42, "category_id": 2, "category": "dog", "bbox": [10.0, 20.0, 30.5, 40.0], "score": 0.9}
    ]


def test_pycocotools_reads_what_is_written(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    made = coco.COCO()
    made.dataset = {
        "info": {},
        "images": [{"id": 42}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [],
    }
    made.createIndex()
    file = tmp_path / "results.json"
    file.write_bytes(coco_results(predictions(pets_predicted=FOUND)))
    [annotation] = made.loadRes(str(file)).dataset["annotations"]
    assert annotation["area"] == pytest.approx(30.5 * 40)


def test_points_follow():
    found = [[{**FOUND[0][0], "points": [[1.0, 2.0, 2.0], [3.0, 4.0, 0.0]]}], None]
    [entry] = json.loads(coco_results(predictions(pets_predicted=found)))
    assert entry["keypoints"] == [1.0, 2.0, 2.0, 3.0, 4.0, 0.0]


def test_a_run_without_objects_is_told_so():
    with pytest.raises(UserError, match="the run has none"):
        coco_results(predictions(age_predicted=np.ones(2)))
