"""Columns that live in a picture's pixels find their picture."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from trainwright.data.objects import Objects
from trainwright.data.sources.base import BaseSource
from trainwright.data.types import RawFile
from trainwright.errors import RecipeError


class Annotated(BaseSource):
    """Eight pictures 40x60 as files, each with a mask file and as many boxes as its number."""

    columns = {"image": "image", "mask": "mask", "objects": "boxes", "other": "image"}  # noqa: RUF012

    def __init__(self, folder):
        self.slow_columns = ("image", "mask")
        self.folder = folder
        for row in range(8):
            Image.new("RGB", (60, 40), (row, 9, 9)).save(folder / f"{row}.png")
            ids = np.zeros((40, 60), np.uint8)
            ids[:, 30:] = 1
            Image.fromarray(ids).save(folder / f"mask{row}.png")

    def __len__(self):
        return 8

    def files(self):
        return sorted(self.folder.iterdir())

    def column(self, name):
        if name == "objects":
            return [
                Objects((40, 60), ("thing",) * row, np.array([[0.0, 0, 30, 40]] * row).reshape(-1, 4))
                for row in range(8)
            ]
        stem = "mask" if name == "mask" else ""
        return [RawFile(str(self.folder / f"{stem}{row}.png")) for row in range(8)]


@pytest.fixture
def annotated(make_data, prepared, tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    folder.mkdir()
    source = Annotated(folder)
    monkeypatch.setattr("trainwright.data.prepare.build_source", lambda data, memory: source)

    def run(inputs, targets, **rest):
        data = make_data("digits", inputs, targets, split={"val": 0.25})
        return prepared(data, **rest)

    return run


IMAGE = {"type": "image", "size": [20, 20]}


@pytest.mark.parametrize("workers", [0, 2])
def test_boxes_and_masks_follow_the_image(annotated, workers):
    result = annotated(
        {"image": IMAGE | {"resize": "letterbox"}},
        {"objects": {"type": "boxes"}, "mask": {"type": "mask", "classes": ["left", "right"]}},
        workers=workers,
    )
    # 40x60 in 20x20: 13 rows of picture below 3 rows of border.
    assert result.arrays["objects"].shape == (8, 7, 5), "the capacity is the largest count of all rows"
    np.testing.assert_allclose(result.arrays["objects"][3, 2], [0, 3, 10, 16, 0])
    assert result.arrays["objects"][3, 3].tolist() == [0, 0, 0, 0, -1]
    mask = result.arrays["mask"][3]
    assert (mask[:3] == 255).all() and (mask[16:] == 255).all()
    assert (mask[3:16, :10] == 0).all() and (mask[3:16, 10:] == 1).all()
    assert (result.arrays["image"][3, 3:16, :, 0] == 3).all() and (result.arrays["image"][3, 0] == 0).all()


def test_a_target_may_stand_before_its_image_and_be_decoded_on_the_fly(annotated, make_data):
    result = annotated({"objects": {"type": "boxes"}, "image": IMAGE}, {})
    np.testing.assert_allclose(result.arrays["objects"][1, 0], [0, 0, 10, 20, 0])


def test_a_processor_of_a_trained_run_needs_no_link(annotated):
    targets = {"objects": {"type": "boxes"}}
    trained = annotated({"image": IMAGE}, targets)
    state = trained.targets["objects"].state()
    restored = type(trained.targets["objects"]).from_state(state)
    again = annotated(
        {"image": IMAGE}, targets, processors={"image": trained.inputs["image"], "objects": restored}
    )
    assert np.array_equal(again.arrays["objects"], trained.arrays["objects"])


@pytest.mark.parametrize(
    ("inputs", "options", "words"),
    [
        ({"objects": {"type": "boxes"}}, {}, "there is no image input"),
        ({"image": IMAGE, "other": IMAGE}, {}, "several image inputs.*with `image`: image, other"),
        ({"image": IMAGE}, {"image": "imgae"}, "no image input 'imgae'.*did you mean 'image'"),
    ],
)  # fmt: skip
def test_an_unclear_link_is_refused_in_words(annotated, inputs, options, words):
    with pytest.raises(RecipeError) as caught:
        annotated(inputs, {"mask": {"type": "mask"} | options})
    assert re.search(words, str(caught.value), re.DOTALL), str(caught.value)


def test_of_several_images_the_named_one_counts(annotated):
    result = annotated(
        {"image": IMAGE, "other": IMAGE | {"size": [10, 10]}},
        {"objects": {"type": "boxes", "image": "other"}},
    )
    assert result.arrays["objects"][1, 0].tolist() == [0, 0, 5, 10, 0]


def test_a_class_without_an_object_in_training_is_one_of_those_that_the_source_names(
    shared_data, make_data, prepared
):
    file = shared_data / "coco_mini" / "annotations" / "instances_train2017.json"
    target = {"boxes": {"type": "boxes", "column": "objects"}}
    image = {"image": {"type": "image", "size": 16}}
    data = make_data(
        {"name": "coco", "annotations": str(file)}, image, target, split={"val": 0.5}, cache="none"
    )
    found = prepared(data)
    processor = found.targets["boxes"]
    assert len(processor.classes) == 80 and 0 in processor.counts
    assert processor.classes[:3] == ["person", "bicycle", "car"]
    assert found.dropped == []
