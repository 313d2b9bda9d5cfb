"""Restored pictures in the size of those that went in."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.geometry import Geometry
from trainwright.inference.restored_pictures import RestoredPicture, at_own_size, in_tiles


@given(
    picture=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    tile=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from([1, 3]),
)
def test_tiles_that_come_back_as_they_are_give_the_picture(picture, tile, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (*picture, channels), dtype=np.uint8)

    def same(tiles):
        assert tiles.shape[1:] == (*tile, channels)
        return tiles

    np.testing.assert_array_equal(in_tiles(pixels, tile, same).pixels, pixels)


def test_a_pixel_comes_from_the_tile_that_sees_most_around_it():
    pixels = np.zeros((20, 150, 1), dtype=np.uint8)

    def numbered(tiles):
        return tiles + np.arange(len(tiles), dtype=np.uint8)[:, None, None, None]

    found = in_tiles(pixels, (20, 100), numbered).pixels[0, :, 0]
    # Tiles begin at 0 and 50 and share 50 to 100.
    assert found.tolist() == [0] * 75 + [1] * 75


@pytest.mark.parametrize(
    ("resize", "size"), [("stretch", (30, 40)), ("letterbox", (30, 40)), ("crop", (20, 40))]
)
def test_the_size_of_the_original_comes_back(resize, size):
    ramp = np.tile(np.arange(40, dtype=np.uint8)[None, :, None] * 6, (40, 1, 3))
    [found] = at_own_size([ramp], Geometry((40, 40), resize), [size])
    # Of the crop, what the model saw.
    assert found.pixels.shape == ((20, 20, 3) if resize == "crop" else (30, 40, 3))
    [same] = at_own_size([ramp], Geometry((40, 40), resize), None)
    assert same.pixels is ramp


def test_a_letterbox_is_cut_out():
    boxed = np.zeros((40, 40, 1), dtype=np.uint8)
    boxed[10:30] = 200
    [found] = at_own_size([boxed], Geometry((40, 40), "letterbox"), [(20, 40)])
    assert found.pixels.shape == (20, 40, 1) and (found.pixels == 200).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_holds_the_pixels(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    read = np.asarray(Image.open(io.BytesIO(RestoredPicture(pixels).png())))
    np.testing.assert_array_equal(read.reshape(pixels.shape), pixels)
