"""Pixels that stay floats."""

import numpy as np
import pytest
import torch
from PIL import Image

from trainwright.data.processors.image import ImageProcessor
from trainwright.data.types import BadSample
from trainwright.errors import RecipeError


def fitted(values, **options):
    processor = ImageProcessor(depth=32, **options)
    processor.inspect(values)
    processor.fit(processor.encode_all(values))
    return processor


@pytest.fixture
def beyond():
    """Pixels below black and above white."""
    return np.random.default_rng(0).normal(120, 90, (3, 12, 16, 1)).astype(np.float32)


def test_nothing_is_rounded_or_clipped(beyond):
    processor = fitted(beyond, normalise="unit")
    stored = processor.encode_all(beyond)
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, beyond)
    images = processor.to_tensor(torch.from_numpy(stored))
    np.testing.assert_allclose(images.numpy(), beyond.transpose(0, 3, 1, 2) / 255, rtol=1e-6)
    # What is stored is left as it is.
    np.testing.assert_array_equal(stored, beyond)
    np.testing.assert_allclose(processor.pixels_of(images).numpy(), beyond.transpose(0, 3, 1, 2), rtol=1e-5)


def test_statistics_are_those_of_the_floats(beyond):
    processor = fitted(beyond)
    assert processor.mean[0] == pytest.approx(beyond.mean() / 255, rel=1e-5)
    assert processor.std[0] == pytest.approx(beyond.std() / 255, rel=1e-5)
    assert ImageProcessor.from_state(processor.state()).encode(beyond[0]).dtype == np.float32


def test_files_and_other_arrays_have_the_same_scale(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for raw in (str(tmp_path / "a.png"), pixels, pixels.transpose(2, 0, 1), Image.fromarray(pixels)):
        np.testing.assert_array_equal(fitted([raw]).encode(raw), pixels.astype(np.float32))
    shares = pixels.astype(np.float32) / 255
    np.testing.assert_allclose(fitted([shares]).encode(shares), pixels, rtol=1e-6)
    deep = pixels.astype(np.uint16) * 257 + 100
    np.testing.assert_allclose(fitted([deep]).encode(deep), pixels + 100 / 257, rtol=1e-6)


def test_resizing_and_colours_are_those_of_bytes():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    for options in ({"resize": "letterbox", "fill": 7}, {"resize": "crop"}, {"mode": "gray"}):
        floats = fitted([pixels], size=[12, 12], **options).encode(pixels)
        processor = ImageProcessor(size=[12, 12], **options)
        processor.inspect([pixels])
        np.testing.assert_allclose(floats, processor.encode(pixels), atol=1.01)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_a_bad_sample(beyond, value):
    processor = fitted(beyond)
    broken = beyond[0].copy()
    broken[3, 3] = value
    with pytest.raises(BadSample, match="NaN or infinite"):
        processor.encode(broken)


def test_a_picture_normalised_by_itself_is_no_target(beyond):
    processor = fitted(beyond, normalise="local_max")
    with pytest.raises(RecipeError, match="cannot be a target"):
        processor.pixels_of(torch.zeros(1, 1, 12, 16))
