"""Ids that only held-out masks have: told as bad samples, whether masks are kept or decoded on the fly."""

import numpy as np
import pytest
from PIL import Image

from trainwright.data.checks.running import run_checks
from trainwright.data.checks.subject import Subject
from trainwright.errors import DataError
from trainwright.workflows.other_data import read_as

COLUMNS = {"image": {"type": "image", "size": 8}}, {"mask": {"type": "mask"}}
STRAY = 11


@pytest.fixture
def masks(tmp_path):
    """Twelve pictures with masks of ids 0 to 2; in the last one 5 pixels are 200."""
    for name in ("images", "masks"):
        (tmp_path / "made" / name).mkdir(parents=True)
    for place in range(12):
        ids = np.repeat(np.arange(8, dtype=np.uint8) % 3, 8).reshape(8, 8)
        if place == STRAY:
            ids[0, :5] = 200
        Image.new("RGB", (8, 8), (20 * place, 0, 0)).save(tmp_path / "made" / "images" / f"{place:02}.png")
        Image.fromarray(ids).save(tmp_path / "made" / "masks" / f"{place:02}.png")
    return {"name": "masks", "root": str(tmp_path / "made")}


def held_out(make_data, prepared, masks, **rest):
    """Prepared with the stray mask in validation, whatever the division does."""
    seed = next(
        seed
        for seed in range(50)
        if STRAY in prepared(section(make_data, masks, seed, CLASSES)).splits["val"]
    )
    return section(make_data, masks, seed, **rest)


CLASSES = [str(place) for place in range(201)]


def section(make_data, masks, seed, classes=None, **rest):
    inputs, targets = COLUMNS
    targets = {"mask": {**targets["mask"], "classes": classes}}
    return make_data(masks, inputs, targets, split={"val": 0.25, "seed": seed}, **rest)


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_an_id_of_a_held_out_mask_alone_is_a_bad_sample_in_every_preparation(
    cache, masks, make_data, prepared
):
    data = held_out(make_data, prepared, masks, cache=cache)
    for _ in range(2):  # found, then remembered
        with pytest.raises(DataError, match=r"class id 200 \(5 pixels\) is not among the 3 classes") as error:
            prepared(data)
        assert error.value.where == "images/11.png, column mask"
        assert "void" in error.value.fix
    skipping = data.model_copy(
        update={"on_bad": data.on_bad.model_copy(update={"policy": "skip", "limit": 0.2})}
    )
    found = prepared(skipping)
    assert [(item.row, item.column) for item in found.dropped] == [(STRAY, "mask")]
    assert sorted(len(rows) for rows in found.splits.values()) == [2, 9]
    learned = {**found.inputs, **found.targets}
    with pytest.raises(DataError, match="class id 200"):
        prepared(data, processors=learned, whole="test")
    void = data.targets["mask"].model_copy(update={"unknown": "void"})
    read_as(void, learned["mask"])
    assert len(prepared(data, processors=learned, whole="test").splits["test"]) == 12


def test_a_stray_id_in_training_is_told_with_the_ids_that_never_occur(masks, make_data, prepared):
    inputs, targets = COLUMNS
    found = run_checks(Subject(prepared(make_data(masks, inputs, targets, split={}))))
    [told] = [item for item in found.found if item["check"] == "masks"]
    assert (told["severity"], told["count"]) == ("warning", 1)
    assert "class ids (200) above ones that never occur in training (3 to 199)" in told["what"]
    assert told["examples"][0]["sample"] == "images/11.png"
