"""Panoptic PNGs: areas and boxes are those that the file states."""

import json

import numpy as np
import pytest
from PIL import Image

from trainwright.data.sources.coco_panoptic import CocoPanopticSource
from trainwright.data.types import BadSample


def test_areas_and_boxes_are_those_of_the_file(shared_data):
    folder = shared_data / "coco128" / "panoptic_segmentation" / "annotations"
    path = folder / "panoptic_train2017.json"
    source = CocoPanopticSource(
        annotations=str(path), images=str(shared_data / "coco128" / "images" / "train2017")
    )
    listed = json.loads(path.read_text())
    names = {item["id"]: item["name"] for item in listed["categories"]}
    assert (len(source), len(source.class_names), source.faults) == (64, 133, [])
    semantic = shared_data / "coco128" / "semantic_segmentation" / "masks" / "train2017"
    for row in range(0, 64, 4):
        segments = listed["annotations"][row]["segments_info"]
        objects = source.column("objects")[row]
        assert objects.labels == tuple(names[item["category_id"]] for item in segments)
        assert objects.extra["area"].tolist() == [item["area"] for item in segments]
        left, top, right, bottom = objects.boxes.T
        boxes = np.stack([left, top, right - left, bottom - top], axis=1)
        assert boxes.tolist() == [item["bbox"] for item in segments]
        # The semantic masks beside them hold the same classes by their ids.
        with Image.open(semantic / listed["annotations"][row]["file_name"]) as opened:
            ids = np.asarray(opened)
        table = np.zeros(256, dtype=int)
        table[: len(listed["categories"])] = [item["id"] for item in listed["categories"]]
        assert (table[source.column("mask")[row]] == ids).all()


@pytest.fixture
def small(tmp_path):
    """One picture, whose mask has segments 1 and 258."""
    Image.new("RGB", (4, 3)).save(tmp_path / "a.jpg")
    (tmp_path / "x").mkdir()
    pixels = np.zeros((3, 4, 3), np.uint8)
    pixels[0, :, 0], pixels[1] = 1, (2, 1, 0)
    Image.fromarray(pixels).save(tmp_path / "x" / "a.png")

    def make(segments, file_name="a.png"):
        content = {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}],
            "categories": [{"id": 5, "name": "sky"}, {"id": 9, "name": "cat", "isthing": 1}],
            "annotations": [{"image_id": 1, "file_name": file_name, "segments_info": segments}],
        }
        (tmp_path / "x.json").write_text(json.dumps(content))
        return CocoPanopticSource(annotations=str(tmp_path / "x.json"))

    return make


def test_numbers_are_read_from_three_colours(small):
    source = small([{"id": 1, "category_id": 5}, {"id": 258, "category_id": 9}])
    assert source.column("mask")[0].tolist() == [[0] * 4, [1] * 4, [255] * 4]
    objects = source.column("objects")[0]
    assert objects.boxes.tolist() == [[0, 0, 4, 1], [0, 1, 4, 2]] and objects.extra["thing"].tolist() == [
        0,
        1,
    ]


def test_masks_and_descriptions_that_differ(small):
    source = small([{"id": 1, "category_id": 5}, {"id": 2, "category_id": 77}])
    assert [name for name, _ in source.faults] == ["x.json: annotation of image 1, segment 2"]
    with pytest.raises(BadSample, match=r"segment 258 is in the mask and not in x\.json"):
        source.column("mask")[0]
