"""Augmentations against slow code that looks at one sample at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data import addressed
from trainwright.data.augment.affine import Affine
from trainwright.data.augment.base import Address, Augment
from trainwright.data.augment.blur import Blur
from trainwright.data.augment.colour_jitter import ColourJitter
from trainwright.data.augment.cutout import Cutout
from trainwright.data.augment.erasing import Erasing
from trainwright.data.augment.flip import Flip
from trainwright.data.augment.grayscale import Grayscale
from trainwright.data.augment.noise import Noise
from trainwright.data.augment.perspective import Perspective
from trainwright.data.augment.rand_augment import RandAugment
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.augment.resized_crop import ResizedCrop, _at_once, _one_by_one
from trainwright.data.augment.rotation import Rotation
from trainwright.data.augment.trivial_augment import TrivialAugment
from trainwright.errors import RecipeError

COUNT = 40
IMAGES = np.random.default_rng(1).integers(0, 256, (COUNT, 6, 9, 3), dtype=np.uint8)
IDS = np.random.default_rng(2).permutation(1000)[:COUNT]


def draws(row: int, count: int, *, seed: int = 4, epoch: int = 2, stream: int = 1) -> np.ndarray:
    """The numbers of one sample, asked for alone."""
    return addressed.uniform(addressed.key("augment", seed, epoch, stream), np.array([row]), count)[0]


def apply(augment: Augment, places: np.ndarray | slice = slice(None)) -> np.ndarray:
    address = Address(4, 2, IDS[places], 1)
    return augment(torch.from_numpy(IMAGES[places].copy()), address).numpy()


def slow_crop(image: np.ndarray, row: int, padding: int, fill: str, size: tuple[int, int]) -> np.ndarray:
    mode = {"zero": {"mode": "constant"}, "reflect": {"mode": "reflect"}}[fill]
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)), **mode)  # type: ignore[call-overload]
    down, right = draws(row, 2)
    top = int(down * (padded.shape[0] - size[0] + 1))
    left = int(right * (padded.shape[1] - size[1] + 1))
    return padded[top : top + size[0], left : left + size[1]]


@pytest.mark.parametrize("fill", ["zero", "reflect"])
@pytest.mark.parametrize(
    ("padding", "size"), [(0, None), (2, None), (4, None), (3, [5, 4]), (0, [3, 9]), (1, [8, 11]), (5, None)]
)
def test_random_crop_pixel_for_pixel(padding: int, fill: str, size: list[int] | None) -> None:
    augment = RandomCrop(padding=padding, fill=fill, size=size)  # type: ignore[arg-type]
    height, width = size or (6, 9)
    assert augment.output_size((6, 9)) == (height, width)
    expected = [slow_crop(i, row, padding, fill, (height, width)) for i, row in zip(IMAGES, IDS, strict=True)]
    assert np.array_equal(apply(augment), np.stack(expected))


def test_random_crop_reaches_every_window() -> None:
    images = torch.arange(25, dtype=torch.uint8).view(1, 5, 5, 1).expand(2000, 5, 5, 1)
    found = RandomCrop(padding=0, size=[3, 3])(images, Address(0, 0, np.arange(2000), 0))
    corners, counts = np.unique(found[:, 0, 0, 0].numpy(), return_counts=True)
    assert corners.tolist() == [0, 1, 2, 5, 6, 7, 10, 11, 12]
    assert ((counts - 2000 / 9) ** 2 / (2000 / 9)).sum() < 26  # chi square, 8 degrees of freedom, p < 0.001


def test_a_window_larger_than_the_image_is_refused_in_words() -> None:
    with pytest.raises(RecipeError, match="20x20 does not fit into the padded image of 10x13"):
        apply(RandomCrop(padding=2, size=[20, 20]))


@pytest.mark.parametrize("axis", ["horizontal", "vertical"])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_flip_pixel_for_pixel(axis: str, probability: float) -> None:
    expected = []
    for image, row in zip(IMAGES, IDS, strict=True):
        mirrored = image[:, ::-1] if axis == "horizontal" else image[::-1]
        expected.append(mirrored if draws(row, 1)[0] < probability else image)
    assert np.array_equal(apply(Flip(axis=axis, probability=probability)), np.stack(expected))  # type: ignore[arg-type]


def test_resized_crop_is_the_window_as_pillow_resizes_it() -> None:
    for size in (None, [4, 4], [12, 7], [3, 20]):
        augment = ResizedCrop(size=size, smallest=0.2, ratio=2.0)
        height, width = size or (6, 9)
        found = apply(augment)
        assert found.dtype == np.uint8
        assert found.shape == (COUNT, height, width, 3)
        for image, row, result in zip(IMAGES, IDS, found, strict=True):
            area, shape, down, right = draws(row, 4)
            share, aspect = 0.2 + 0.8 * area, 2.0 ** (2 * shape - 1)
            tall = min(max(round(math.sqrt(share * 54 / aspect)), 1), 6)
            wide = min(max(round(math.sqrt(share * 54 * aspect)), 1), 9)
            top, left = int(down * (6 - tall + 1)), int(right * (9 - wide + 1))
            window = Image.fromarray(image[top : top + tall, left : left + wide])
            expected = np.asarray(window.resize((width, height), Image.Resampling.BILINEAR))
            # Both round after each of the two directions, with weights of different precision.
            assert np.abs(result.astype(int) - expected).max() <= 1


def test_the_way_of_accelerators_is_bilinear_too() -> None:
    augment = ResizedCrop(size=[12, 14], smallest=0.2, ratio=2.0)
    images = torch.from_numpy(np.repeat(np.repeat(IMAGES[:, :3, :4], 4, axis=1), 4, axis=2))
    boxes = augment.boxes(*images.shape[1:3], Address(4, 2, IDS, 1))
    large = boxes[:, 2] <= 12
    wanted = large & (boxes[:, 3] <= 14)  # enlarged windows, where anti-aliasing changes nothing
    assert wanted.any()
    sampled, exact = _at_once(images, boxes, (12, 14)), _one_by_one(images, boxes, (12, 14))
    inner = (sampled.int() - exact.int())[torch.from_numpy(wanted)].abs()
    # At its edges a window sampled from the whole image sees the pixels outside of it.
    assert inner[:, 2:-2, 2:-2].max() <= 1


def test_windows_lie_inside_and_have_the_asked_area() -> None:
    augment = ResizedCrop(smallest=0.3, largest=0.6, ratio=1.5)
    top, left, tall, wide = augment.boxes(200, 200, Address(0, 0, np.arange(3000), 0)).T
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + tall <= 200).all() and (left + wide <= 200).all()
    assert (top + tall == 200).any() and (left + wide == 200).any() and (top == 0).any()
    share = tall * wide / 200**2  # to a pixel: half of one in 100 is 0.5 % either way
    assert share.min() >= 0.3 - 0.005 and share.max() <= 0.6 + 0.005
    assert share.mean() == pytest.approx(0.45, abs=0.01)
    assert (wide / tall).min() >= 1 / 1.51 and (wide / tall).max() <= 1.51


AUGMENTS = {
    "random_crop": RandomCrop(padding=3),
    "reflect": RandomCrop(padding=2, fill="reflect", size=[5, 5]),
    "flip": Flip(),
    "resized_crop": ResizedCrop(size=[7, 5]),
    "affine": Affine(shear=5),
    "rotation": Rotation(),
    "perspective": Perspective(),
    "colour_jitter": ColourJitter(hue=0.1),
    "grayscale": Grayscale(probability=0.5),
    "blur": Blur(),
    "noise": Noise(),
    "erasing": Erasing(probability=0.5),
    "cutout": Cutout(size=3, count=2),
    "trivial_augment": TrivialAugment(),
    "rand_augment": RandAugment(),
}


@pytest.mark.parametrize("name", AUGMENTS)
@settings(max_examples=25, deadline=None)
@given(places=st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=COUNT))
def test_a_sample_looks_the_same_in_any_company(name: str, places: list[int]) -> None:
    chosen = np.array(places)
    assert np.array_equal(apply(AUGMENTS[name], chosen), apply(AUGMENTS[name])[chosen])


@pytest.mark.parametrize("name", AUGMENTS)
def test_seed_epoch_and_stream_all_count(name: str) -> None:
    images = torch.from_numpy(IMAGES)
    addresses = [Address(4, 2, IDS, 1), Address(5, 2, IDS, 1), Address(4, 3, IDS, 1), Address(4, 2, IDS, 0)]
    found = [AUGMENTS[name](images, address).numpy().tobytes() for address in addresses]
    assert len(set(found)) == 4
    assert AUGMENTS[name](images, addresses[0]).numpy().tobytes() == found[0]


@pytest.mark.parametrize("name", AUGMENTS)
def test_stored_images_are_not_changed(name: str) -> None:
    images = torch.from_numpy(IMAGES.copy())
    AUGMENTS[name](images, Address(0, 0, IDS, 0))
    assert np.array_equal(images.numpy(), IMAGES)


@pytest.mark.parametrize("fill", ["zero", "reflect"])
def test_a_padding_that_the_image_does_not_hold_is_refused(fill: str) -> None:
    with pytest.raises(RecipeError, match=r"padding of 6 does not fit an image of 6x9"):
        apply(RandomCrop(padding=6, fill=fill))  # type: ignore[arg-type]
