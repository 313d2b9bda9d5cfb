"""Pictures made worse: the blur of a point, the spread of the noise, the same every time."""

import numpy as np
import pytest
from PIL import Image

from trainwright.data.sources.degraded import DegradedSource
from trainwright.errors import RecipeError


@pytest.fixture
def pictures(tmp_path):
    """A white point on black, and an even gray."""
    point = np.zeros((41, 61), np.uint8)
    point[20, 30] = 255
    Image.fromarray(point).save(tmp_path / "point.png")
    Image.fromarray(np.full((200, 200), 128, np.uint8)).save(tmp_path / "even.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def made(root, name, **how):
    source = DegradedSource(root=str(root), **how)
    return source.column("input")[list(source.sample_names()).index(name)]


def test_a_blur_spreads_a_point_by_its_standard_deviation(pictures):
    spread = made(pictures, "point.png", blur=3.0)[:, :, 0].astype(float)
    down, across = np.mgrid[0:41, 0:61]
    assert (spread * down).sum() / spread.sum() == pytest.approx(20, abs=0.1)
    deviation = np.sqrt((spread * (across - 30) ** 2).sum() / spread.sum())
    assert deviation == pytest.approx(3, rel=0.2)  # rounding to whole numbers cuts the tails


def test_noise_has_its_deviation_and_is_the_same_every_time(pictures):
    once, again = (made(pictures, "even.png", noise=10.0) for _ in range(2))
    assert once.std() == pytest.approx(10, rel=0.03)
    assert once.mean() == pytest.approx(128, abs=0.2)
    np.testing.assert_array_equal(once, again)
    assert (made(pictures, "even.png", noise=10.0, seed=1) != once).mean() > 0.9


def test_shrinking_keeps_the_size_and_loses_detail(pictures):
    shrunk = made(pictures, "point.png", shrink=4)
    assert shrunk.shape == (41, 61, 1)
    assert shrunk.max() < 64


def test_a_broken_picture_is_left_to_its_reader(pictures):
    assert made(pictures, "broken.png", blur=1.0).read() == b"no picture"


def test_nothing_to_do_is_refused(pictures):
    with pytest.raises(RecipeError, match="nothing makes the pictures worse"):
        DegradedSource(root=str(pictures))


def test_noise_that_is_not_clipped_is_that_of_the_formula(pictures):
    clipped, whole = (made(pictures, "point.png", noise=10.0, clip=clip) for clip in (True, False))
    assert whole.dtype == np.float32 and whole.min() < -20
    np.testing.assert_array_equal(np.clip(np.rint(whole), 0, 255), clipped)
    assert whole.std() == pytest.approx(np.hypot(10, 255 / np.sqrt(41 * 61)), rel=0.03)


def test_pictures_that_are_taller_than_wide_are_turned(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (50, 30, 3), dtype=np.uint8)
    for name, picture in (("tall", pixels), ("wide", pixels.transpose(1, 0, 2))):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    source = DegradedSource(root=str(tmp_path), shrink=2, landscape=True)
    clean, worse = source.column("target"), source.column("input")
    rows = {name: row for row, name in enumerate(source.sample_names())}
    tall, wide = rows["tall.png"], rows["wide.png"]
    assert clean[tall].shape == worse[tall].shape == clean[wide].shape == (30, 50, 3)
    np.testing.assert_array_equal(np.rot90(clean[tall], -1), pixels)
    assert np.abs(worse[tall].astype(int) - clean[tall]).mean() < 70
    assert clean[rows["broken.png"]].read() == b"no picture"
    assert {path.name for path in source.files()} == {"tall.png", "wide.png", "broken.png"}
