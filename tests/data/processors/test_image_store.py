"""Images that are stored larger than the model reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from trainwright import recipe as recipes
from trainwright.data.augment.base import Address
from trainwright.data.augment.chain import Chain
from trainwright.data.augment.flip import Flip
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.augment.resized_crop import ResizedCrop
from trainwright.data.loader import Pipeline
from trainwright.data.prepare import prepare
from trainwright.data.processors.image import ImageProcessor
from trainwright.errors import RecipeError

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def processor(**parameters: object) -> ImageProcessor:
    return ImageProcessor(**({"size": [12, 16], "store": [24, 32], "normalise": "none"} | parameters))  # type: ignore[arg-type]


def stored(count: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (count, 24, 32, 3), np.uint8))


def test_the_larger_pixels_are_stored_and_the_model_reads_the_size() -> None:
    made = processor(mode="rgb")
    encoded = made.encode(PIXELS)
    expected = Image.fromarray(PIXELS).resize((32, 24), Image.Resampling.BILINEAR)
    assert np.array_equal(encoded, np.asarray(expected))
    assert made.spec().shape == (3, 12, 16)


def test_in_evaluation_the_whole_picture_is_resized_as_pillow_does() -> None:
    found = processor().to_tensor(stored())
    assert found.shape == (6, 3, 12, 16)
    for pixels, result in zip(stored(), found, strict=True):
        expected = Image.fromarray(pixels.numpy()).resize((16, 12), Image.Resampling.BILINEAR)
        assert np.abs(result.permute(1, 2, 0).numpy() - np.asarray(expected)).max() <= 1


def test_in_evaluation_its_centre_is_cut_out_where_that_is_asked() -> None:
    found = processor(evaluation="crop").to_tensor(stored())
    assert torch.equal(found.permute(0, 2, 3, 1), stored()[:, 6:18, 8:24].float())


def test_a_picture_is_the_same_in_any_batch() -> None:
    made = processor()
    whole = made.to_tensor(stored())
    assert all(torch.equal(made.to_tensor(stored()[i : i + 1])[0], whole[i]) for i in range(6))


@pytest.mark.parametrize("augment", [ResizedCrop(smallest=0.3), RandomCrop(padding=0)])
def test_windows_of_the_size_are_cut_out_of_the_stored_pixels(augment: ResizedCrop | RandomCrop) -> None:
    ids = np.arange(6)
    found = Pipeline({"image": processor()}, {}, [augment], seed=3)({"image": stored()}, ids, 1)["image"]
    alone = type(augment)(
        **({"smallest": 0.3} if isinstance(augment, ResizedCrop) else {"padding": 0}), size=[12, 16]
    )
    expected = alone(stored(), Address(3, 1, ids, 0))
    assert torch.equal(found.permute(0, 2, 3, 1), expected.float())


def test_without_a_crop_training_reads_the_resized_picture() -> None:
    made = processor()
    found = Pipeline({"image": made}, {}, [Flip(probability=1.0)], seed=0)(
        {"image": stored()}, np.arange(6), 0
    )
    assert torch.equal(found["image"], made.to_tensor(stored().flip(2)))


def test_a_later_crop_leaves_the_size_as_it_is() -> None:
    chain = Chain([ResizedCrop(), RandomCrop(padding=2)], {"image": processor()}, {}, 0)
    assert chain({"image": stored()}, np.arange(6), 0, 6)["image"].shape == (6, 12, 16, 3)


def test_the_stored_size_is_part_of_the_key_and_a_run_keeps_it() -> None:
    plain, larger = processor(store=None), processor()
    assert plain.cache_key() != larger.cache_key()
    assert processor(evaluation="crop").cache_key() == larger.cache_key()
    assert larger.cache_key() == ImageProcessor(size=[24, 32]).cache_key()
    again = ImageProcessor.from_state(larger.state())
    assert torch.equal(again.to_tensor(stored()), larger.to_tensor(stored()))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"store": [24, 15]}, r"store \[24, 15\] is less than size \[12, 16\]"),
        ({"normalise": "pixel"}, "pixel goes with no store"),
    ],
)
def test_what_cannot_be_is_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        processor(**parameters)


def test_two_columns_that_store_alike_for_two_sizes_are_refused() -> None:
    columns = {"a": processor(), "b": processor(size=[8, 8])}
    with pytest.raises(
        RecipeError, match="b stores images of 24x32, as another column does for another size"
    ):
        Chain([ResizedCrop()], columns, {}, 0)


@pytest.mark.parametrize(
    "image",
    [{"store": 32}, {"evaluation": "crop", "size": 16}, {"size": 16, "store": 32, "evaluation": "middle"}],
)
def test_dead_and_wrong_values_are_refused(image: dict[str, object]) -> None:
    given = {
        "name": "x",
        "data": {"source": {"name": "folder", "root": "x"}, "inputs": {"image": {"type": "image", **image}},
                 "targets": {"label": {"type": "category"}}},
        "model": "cnn",
    }  # fmt: skip
    with pytest.raises(RecipeError):
        recipes.load(given)


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_a_recipe_trains_on_windows_of_what_it_stores(
    make_photos: Callable[..., Path], tmp_path: Path, cache: str
) -> None:
    photos = make_photos(tmp_path / "photos", each=4)
    image = {"type": "image", "size": 16, "store": [24, 20], "normalise": "unit"}
    data = {
        "source": {"name": "folder", "root": str(photos)},
        "inputs": {"image": image},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.2},
        "augment": ["resized_crop"],
        "cache": cache,
    }
    loaded = recipes.load({"name": "x", "data": data, "model": "cnn"}).recipe
    prepared = prepare(loaded.data, cache_dir=tmp_path / "cache", workers=0)
    assert prepared.info().inputs["image"].shape == (3, 16, 16)
    if cache == "auto":
        assert prepared.arrays["image"].shape[1:] == (24, 20, 3)


def test_masks_and_stored_images_do_not_go_together(make_photos: Callable[..., Path], tmp_path: Path) -> None:
    from trainwright.data.columns import PlannedColumn, link
    from trainwright.data.processors.mask import MaskProcessor

    source = object()
    columns = [
        PlannedColumn("image", False, processor(), ["image"], source),  # type: ignore[arg-type]
        PlannedColumn("mask", True, MaskProcessor(), ["mask"], source),  # type: ignore[arg-type]
    ]
    with pytest.raises(RecipeError, match="'mask', which moves with the pixels, is not stored at that size"):
        link(columns)
    pair = [
        PlannedColumn("blurred", False, processor(), ["a"], source),  # type: ignore[arg-type]
        PlannedColumn("sharp", True, processor(store=None), ["b"], source),  # type: ignore[arg-type]
    ]
    with pytest.raises(RecipeError, match="'sharp'") as raised:
        link(pair)
    assert raised.value.where == "data.inputs.blurred.store"
    pair[1].processor = processor()
    assert link(pair) == pair
