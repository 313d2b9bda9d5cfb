"""Normalisations beyond a constant per channel, and the statistics that are kept with the run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from trainwright.data.processors.image import ImageProcessor
from trainwright.errors import RecipeError

IMAGES = np.random.default_rng(0).integers(0, 256, (150, 5, 7, 3), dtype=np.uint8)
IMAGES[:, 2, 3] = 9  # a pixel that never changes


def fitted(**options) -> ImageProcessor:
    processor = ImageProcessor(size=[5, 7], mode="rgb", **options)
    processor.inspect(list(IMAGES))
    processor.fit(IMAGES)
    return processor


def test_every_pixel_is_normalised_by_its_own_statistics_which_are_kept():
    processor = ImageProcessor.from_state(json.loads(json.dumps(fitted(normalise="pixel").state())))
    floats = IMAGES.astype(np.float64)
    spread = np.where(floats.std(0) > 0, floats.std(0), 255)
    expected = (floats - floats.mean(0)) / spread
    found = processor.to_tensor(torch.from_numpy(IMAGES)).numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    known = processor.pixels
    for name, array in {
        "mean": floats.mean(0), "std": floats.std(0), "median": np.median(floats, 0),
        "low": floats.min(0), "high": floats.max(0),
    }.items():  # fmt: skip
        np.testing.assert_allclose(getattr(known, name), array, atol=1e-4)
    back = processor.decode(processor.to_tensor(torch.from_numpy(IMAGES))[0])
    assert np.array_equal(back, IMAGES[0])


def test_other_sizes_have_no_statistics_of_their_pixels():
    with pytest.raises(RecipeError, match="images of 4x7 cannot be normalised pixel by pixel"):
        fitted(normalise="pixel").to_tensor(torch.from_numpy(IMAGES[:, :4]))


@pytest.mark.parametrize(
    ("rule", "own"), [("local_max", lambda image: image.max()), ("integral", lambda image: image.mean())]
)
def test_an_image_is_normalised_by_itself(rule, own):
    images = IMAGES.copy()
    images[0] = 0
    found = fitted(normalise=rule).to_tensor(torch.from_numpy(images)).numpy().transpose(0, 2, 3, 1)
    assert (found[0] == 0).all()
    for image, result in zip(images[1:], found[1:], strict=True):
        np.testing.assert_allclose(result, image / own(image.astype(float)), rtol=1e-5)
    shown = fitted(normalise=rule).decode(found[3].transpose(2, 0, 1))
    assert np.array_equal(shown, np.rint(images[3] * (255 / images[3].max())).astype(np.uint8))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_rgba_keeps_the_transparency(suffix, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    image = Image.fromarray(pixels)
    path = tmp_path / f"image.{suffix}"
    (image if suffix == "png" else image.convert("RGB")).save(path)
    processor = ImageProcessor(size=[6, 8], mode="rgba", normalise="unit")
    found = processor.encode(path)
    assert found.shape == (6, 8, 4) and processor.spec().shape == (4, 6, 8)
    if suffix == "png":
        assert np.array_equal(found, pixels)
    else:
        assert (found[..., 3] == 255).all()
    assert processor.to_tensor(torch.from_numpy(found)[None]).shape == (1, 4, 6, 8)
