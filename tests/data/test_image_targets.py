"""Images that are to be made of an image input: they follow its size, and are moved with it exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainwright import registry
from trainwright.data.augment.chain import Chain
from trainwright.data.processors.image import ImageProcessor
from trainwright.errors import RecipeError

GEOMETRIC = [
    {"name": "random_crop", "padding": 3},
    {"name": "flip"},
    {"name": "affine", "degrees": 20.0},
    {"name": "perspective"},
    {"name": "resized_crop"},
]
COLOURS = [{"name": "colour_jitter"}, {"name": "blur", "probability": 1.0}]


@pytest.fixture
def pairs(tmp_path, make_picture):
    """Twelve pictures of 30 x 50, in two folders as they are."""
    for folder in ("blur", "sharp"):
        (tmp_path / folder).mkdir()
        for number in range(12):
            make_picture(30, 50, number).save(tmp_path / folder / f"{number}.png")
    return tmp_path


def of_pairs(make_data, root, image, target=None):
    source = {"name": "paired", "root": str(root), "folders": {"input": "blur", "target": "sharp"}}
    split = {"train": 0.75, "val": 0.25}
    target = target or {"type": "image"}
    return make_data(source, {"input": {"type": "image", **image}}, {"target": target}, split=split)


@pytest.mark.parametrize("rule", ["stretch", "crop", "letterbox"])
def test_a_target_without_a_size_gets_that_of_its_input(make_data, prepared, pairs, rule):
    data = of_pairs(make_data, pairs, {"size": [16, 20], "resize": rule})
    made = prepared(data)
    assert made.targets["target"].spec().shape == (3, 16, 20)
    np.testing.assert_array_equal(made.arrays["input"], made.arrays["target"])
    again = prepared(data)  # its fit comes from memory now
    assert again.cached
    restored = ImageProcessor.from_state(again.targets["target"].state())
    with (pairs / "sharp" / "3.png").open("rb") as file:
        pixels = restored.encode(file.read())
    row = list(made.names).index("3")
    np.testing.assert_array_equal(pixels, made.arrays["target"][row])


def test_where_nothing_is_resized_a_target_of_another_size_is_a_bad_sample(make_data, prepared, pairs):
    assert prepared(of_pairs(make_data, pairs, {})).targets["target"].spec().shape == (3, 30, 50)
    Image.new("RGB", (60, 30)).save(pairs / "sharp" / "5.png")
    data = of_pairs(make_data, pairs, {})
    on_bad = data.on_bad.model_copy(update={"policy": "skip", "limit": 0.5})
    [dropped] = prepared(data.model_copy(update={"on_bad": on_bad})).dropped
    assert dropped.name == "5" and "30x60" in dropped.reason


@given(seed=st.integers(0, 2**31), epoch=st.integers(0, 9))
def test_they_are_moved_together_and_only_the_input_changes_its_colours(seed, epoch):
    columns = {"image": ImageProcessor(size=24), "wanted": ImageProcessor(size=24)}
    for processor in columns.values():
        processor.mode = "rgb"
    pixels = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (6, 24, 24, 3), dtype=np.uint8))
    stored, ids = {"image": pixels, "wanted": pixels.clone()}, np.arange(6) * 7

    def varied(specs):
        augments = [registry.build("augment", registry.validate("augment", spec)) for spec in specs]
        chain = Chain(augments, {"image": columns["image"]}, {"wanted": columns["wanted"]}, seed)
        return chain(stored, ids, epoch, 6)

    moved, both = varied(GEOMETRIC), varied([*GEOMETRIC, *COLOURS])
    assert torch.equal(moved["image"], moved["wanted"])
    assert not torch.equal(moved["image"], pixels)
    assert torch.equal(both["wanted"], moved["wanted"])
    assert not torch.equal(both["image"], both["wanted"])


def test_a_crop_by_pixels_refuses_pictures_of_two_sizes():
    columns = {"image": ImageProcessor(size=24), "wanted": ImageProcessor(size=48)}
    crop = [registry.build("augment", registry.validate("augment", {"name": "random_crop"}))]
    with pytest.raises(RecipeError, match="randomcrop cannot move pictures of different sizes") as caught:
        Chain(crop, {"image": columns["image"]}, {"wanted": columns["wanted"]}, 0)
    assert "image has 24x24, wanted has 48x48" in caught.value.why
