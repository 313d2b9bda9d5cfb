"""Small windows resized all at once, against torch's and Pillow's resizing of one at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.augment import small_windows
from trainwright.data.augment.resized_crop import _one_by_one
from trainwright.data.augment.small_windows import LARGEST, resize, suits, triangle_weights

SIDE = st.integers(1, LARGEST)


def windows(count: int, height: int, width: int, seed: int) -> np.ndarray:
    """Windows of any place and size."""
    draw = np.random.default_rng(seed)
    tall, wide = draw.integers(1, height + 1, count), draw.integers(1, width + 1, count)
    top, left = draw.integers(0, height - tall + 1), draw.integers(0, width - wide + 1)
    return np.stack([top, left, tall, wide], axis=1).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(SIDE, SIDE), size=st.tuples(SIDE, SIDE), channels=st.integers(1, 5), seed=st.integers(0)
)
def test_every_bit_is_that_of_one_at_a_time(source, size, channels, seed) -> None:
    images = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (9, *source, channels), np.uint8))
    if not suits(images, size):
        return
    boxes = windows(9, *source, seed)
    found = resize(images, boxes, size)
    assert found.is_contiguous()
    assert torch.equal(found, _one_by_one(images, boxes, size))


def test_mirrored_windows_are_those_of_the_mirror_image() -> None:
    images = torch.from_numpy(np.random.default_rng(5).integers(0, 256, (20, 24, 30, 3), np.uint8))
    boxes, chosen = windows(20, 24, 30, 6), np.array([0, 3, 4, 19])
    plain, found = resize(images, boxes, (16, 20)), resize(images, boxes, (16, 20), chosen)
    plain[chosen] = plain[chosen].flip(2)
    assert torch.equal(found, plain)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_window_is_the_same_for_any_batch_and_number_of_threads(threads: int) -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), np.uint8))
    boxes = windows(70, 32, 32, 1)
    before = torch.get_num_threads()
    whole = resize(images, boxes, (32, 32))
    torch.set_num_threads(threads)
    try:
        for start, stop in ((0, 1), (3, 20), (69, 70)):
            part = resize(images[start:stop], boxes[start:stop], (32, 32))
            assert torch.equal(part, whole[start:stop])
        assert torch.equal(resize(images, boxes, (32, 32)), whole)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("source", "size"), [(32, 32), (20, 32), (32, 20), (40, 20)])
def test_windows_look_as_pillow_resizes_them(source: int, size: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, source, source, 3), np.uint8)
    boxes = windows(40, source, source, 2)
    found = resize(torch.from_numpy(pixels), boxes, (size, size)).numpy()
    for image, (top, left, tall, wide), result in zip(pixels, boxes, found, strict=True):
        window = Image.fromarray(image[top : top + tall, left : left + wide])
        expected = np.asarray(window.resize((size, size), Image.Resampling.BILINEAR))
        assert np.abs(result.astype(int) - expected).max() <= 1  # Pillow's weights have more bits


@settings(max_examples=200, deadline=None)
@given(length=SIDE, size=SIDE)
def test_sums_of_weighted_pixels_fit_into_a_float32(length: int, size: int) -> None:
    if length > 2 * size:
        return
    weights = triangle_weights(length, size)
    steps = next(2.0**bits for bits in range(23) if not (weights * 2**bits % 1).any())  # in 1
    assert (255 * weights.sum(axis=0).max() + 0.5) * steps < 2**24
    assert np.abs(weights.sum(axis=0) - 1).max() < 1 / 512  # so that white stays white


def test_what_it_cannot_do_exactly_or_fast_it_does_not_take() -> None:
    small = torch.zeros(2, 32, 32, 3, dtype=torch.uint8)
    assert suits(small, (32, 32)) and suits(small, (16, 16))
    assert not suits(small, (15, 32))
    assert not suits(small.float(), (32, 32))
    assert not suits(small, (32, small_windows.LARGEST + 1))
    assert not suits(torch.zeros(2, small_windows.LARGEST + 1, 32, 3, dtype=torch.uint8), (32, 32))
