import io

import numpy as np
import pytest
from PIL import Image

from trainwright.data.checks.look_alikes import cells, find_look_alikes

RNG = np.random.default_rng(5)


def photos(count, side=32):
    """Pictures with detail at every scale, none like another."""
    rough = RNG.integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    fine = RNG.integers(-30, 31, (count, side, side, 3))
    large = np.stack(
        [np.asarray(Image.fromarray(p).resize((side, side), Image.Resampling.BICUBIC)) for p in rough]
    )
    return np.clip(large + fine, 0, 255).astype(np.uint8)


def copied(picture, side):
    """Resized and back, twice through JPEG at quality 75."""
    image = Image.fromarray(picture)
    for size in ((side, side), picture.shape[1::-1]):
        file = io.BytesIO()
        image.resize(size, Image.Resampling.BILINEAR).save(file, "JPEG", quality=75)
        image = Image.open(file)
    return np.asarray(image.convert("RGB"))


def test_cells_are_means_of_areas():
    picture = np.zeros((1, 16, 24, 1), dtype=np.uint8)
    picture[0, :, :3] = 80
    vectors, spread = cells(picture, np.array([0]), 8)
    expected = np.zeros((8, 8))
    expected[:, 0] = 80
    assert np.allclose(
        vectors[0], (expected - expected.mean()).ravel() / np.linalg.norm(expected - expected.mean())
    )
    assert spread[0] == pytest.approx(expected.std())


def test_cells_that_do_not_divide_the_picture_share_pixels():
    picture = np.arange(9, dtype=np.uint8)[None, None, :, None].repeat(8, axis=1) * 20
    vectors, _ = cells(picture, np.array([0]), 2)
    # Halves of 4.5 pixels: 0..3 and half of 4, half of 4 and 5..8.
    left, right = 20 * (0 + 1 + 2 + 3 + 4 / 2) / 4.5, 20 * (4 / 2 + 5 + 6 + 7 + 8) / 4.5
    plain = np.array([left, right, left, right]) - (left + right) / 2
    assert np.allclose(vectors[0], plain / np.linalg.norm(plain), atol=1e-6)


@pytest.mark.parametrize("side", [28, 36])
def test_resized_and_recompressed_copies_are_found_and_nothing_else(side):
    pictures = photos(300)
    held = np.arange(200, 300)
    copies = {200 + 7 * k: k for k in range(10)}
    for original, place in copies.items():
        pictures[place] = copied(pictures[original], side)
    rows = np.arange(300)
    found = find_look_alikes(pictures, held, rows, rows)
    assert dict(zip(found.left.tolist(), found.right.tolist(), strict=True)) == copies
    assert found.stands_out.all()


def test_each_pair_is_met_once_and_no_picture_is_like_itself():
    pictures = photos(30)
    pictures[20] = pictures[3]
    rows = np.arange(30)
    found = find_look_alikes(pictures, rows, rows, rows)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(3, 20)]


def test_plain_pictures_are_counted_and_not_compared():
    pictures = photos(6)
    pictures[2:5] = 128
    rows = np.arange(6)
    found = find_look_alikes(pictures, rows, rows, rows)
    assert found.plain == 3
    assert len(found.left) == 0


def test_where_all_pictures_are_alike_no_pair_stands_out():
    # One soft stroke each, anywhere in a narrow band: like a set of handwritten ones.
    at = RNG.uniform(11, 17, (400, 1, 1))
    across = np.exp(-((np.arange(28) - at) ** 2) / 8)
    strokes = (250 * across * (np.abs(np.arange(28) - 14) < 10)[:, None]).astype(np.uint8)[..., None]
    rows = np.arange(400)
    found = find_look_alikes(strokes, rows[300:], rows, rows)
    assert len(found.left) > 1000
    assert found.stands_out.mean() < 0.5
