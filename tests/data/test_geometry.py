"""Where pixels go: boxes and points follow the very pixels that the image processor moves."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.geometry import Geometry
from trainwright.data.processors import image_decoding
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.types import BadSample

RULES = ["stretch", "crop", "letterbox"]
sides = st.integers(40, 120)


@settings(max_examples=60)
@given(sides, sides, sides, sides, st.sampled_from(RULES), st.data())
def test_a_marked_block_and_its_box_land_together(height, width, tall, wide, rule, data):
    """The centre of mass of a white block, as Pillow resizes it, is the centre of its box."""
    geometry = Geometry((tall, wide), rule)
    top, left = data.draw(st.integers(0, height - 21)), data.draw(st.integers(0, width - 21))
    pixels = np.zeros((height, width), np.uint8)
    pixels[top : top + 20, left : left + 20] = 255
    placement = geometry.place(height, width)
    box = placement.forward_boxes(np.array([[left, top, left + 20, top + 20]], float))[0]
    if (box < 1).any() or (box > [wide - 1, tall - 1, wide - 1, tall - 1]).any():
        return  # cut by the crop: the rest has another centre
    found = np.asarray(image_decoding.resize(Image.fromarray(pixels), geometry), float)
    assert found.shape == (tall, wide)
    rows, columns = np.mgrid[0:tall, 0:wide] + 0.5
    centre = (found * columns).sum() / found.sum(), (found * rows).sum() / found.sum()
    assert centre == pytest.approx(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), abs=0.25)
    assert found.sum() / 255 == pytest.approx((box[2] - box[0]) * (box[3] - box[1]), rel=0.1)


@given(sides, sides, sides, sides, st.sampled_from(RULES))
def test_backward_undoes_forward(height, width, tall, wide, rule):
    placement = Geometry((tall, wide), rule).place(height, width)
    points = np.array([[0.0, 0.0], [3.5, 17.25], [width, height]])
    np.testing.assert_allclose(placement.backward(placement.forward(points)), points, atol=1e-9)


@pytest.mark.parametrize(
    ("rule", "corners"),
    [
        ("stretch", [[0, 0, 50, 100]]),  # 200 wide, 100 high into 50 wide, 100 high
        ("crop", [[-75, 0, 125, 100]]),
        ("letterbox", [[0, 37, 50, 62]]),  # 25 of 100 rows, the odd one below
    ],
)
def test_the_corners_of_a_wide_picture(rule, corners):
    placement = Geometry((100, 50), rule).place(100, 200)
    whole = np.array([[0.0, 0.0, 200.0, 100.0]])
    np.testing.assert_allclose(placement.forward_boxes(whole), corners)


def test_without_a_size_pictures_stay_and_of_one_size_they_must_be():
    assert Geometry(None).place(30, 40).forward(np.array([[3.0, 4.0]])).tolist() == [[3, 4]]
    exact = Geometry((30, 40), "none")
    assert exact.place(30, 40).scale == (1, 1)
    with pytest.raises(BadSample, match="picture of 31x40 where the training images are 30x40"):
        exact.place(31, 40)


def test_a_geometry_survives_its_state():
    geometry = Geometry((30, 40), "letterbox")
    assert Geometry.from_state(geometry.state()) == geometry
    assert Geometry.from_state(Geometry(None).state()) == Geometry(None)


@pytest.mark.parametrize("decoder", ["pillow", "simplejpeg"])
@pytest.mark.parametrize("rule", RULES)
def test_a_jpeg_decoded_at_a_reduced_scale_lies_where_the_whole_one_does(
    rule, decoder, make_picture, to_bytes
):
    """Odd sizes, which a reduction rounds up, by up to 7 pixels at an eighth of the scale."""
    pytest.importorskip("simplejpeg")
    smooth = make_picture(110, 60).resize((517, 1003), Image.Resampling.BICUBIC)
    data = to_bytes(smooth, "JPEG", quality=95)
    found = [
        ImageProcessor(size=[64, 50], resize=rule, mode="rgb", decoder=decoder, reduce=reduce, fill=7)
        for reduce in (True, False)
    ]
    reduced, whole = (
        image_decoding.decode(data, "rgb", item.geometry, "white", decoder).astype(int) for item in found
    )
    border = (whole == 7).all(axis=2)
    assert np.array_equal((reduced == 7).all(axis=2), border)
    assert np.abs(reduced - whole).mean() < 1.2


def test_the_original_size_of_a_turned_jpeg_is_the_upright_one(make_picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    make_picture(400, 900).save(file, "JPEG", exif=exif.tobytes())
    geometry = Geometry((90, 60), "letterbox")
    pixels = image_decoding.decode(file.getvalue(), "rgb", geometry, "white", "pillow")
    x, y, across, down = geometry.place(900, 400).part
    inside = np.zeros((90, 60), bool)
    inside[y : y + down, x : x + across] = True
    assert np.array_equal(pixels.any(axis=2), inside)
