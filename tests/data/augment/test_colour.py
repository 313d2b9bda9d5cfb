"""Changes of colour against Pillow's, and their ranges."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from trainwright.data.augment import colour
from trainwright.data.augment.base import Address
from trainwright.data.augment.blur import Blur
from trainwright.data.augment.colour_jitter import ColourJitter
from trainwright.data.augment.cutout import Cutout
from trainwright.data.augment.erasing import Erasing
from trainwright.data.augment.grayscale import Grayscale
from trainwright.data.augment.noise import Noise

IMAGES = np.random.default_rng(0).integers(20, 200, (6, 12, 17, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).float()
ADDRESS = Address(0, 0, np.arange(6), 0)


def by_pillow(change, factor):
    return np.stack([np.asarray(change(Image.fromarray(image), factor)) for image in IMAGES])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (colour.brightness, lambda image, f: ImageEnhance.Brightness(image).enhance(f)),
        (colour.contrast, lambda image, f: ImageEnhance.Contrast(image).enhance(f)),
        (colour.saturation, lambda image, f: ImageEnhance.Color(image).enhance(f)),
        (colour.sharpness, lambda image, f: ImageEnhance.Sharpness(image).enhance(f)),
    ],
)
@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.3])
def test_enhancements_are_those_of_pillow(ours, theirs, factor):
    found = ours(FLOATS, torch.full((6,), factor)).clamp(0, 255).numpy()
    assert np.abs(found - by_pillow(theirs, factor)).max() <= 1.51  # Pillow rounds the gray in between


@pytest.mark.parametrize("threshold", [0, 100, 256])
def test_solarize_is_that_of_pillow(threshold):
    found = colour.solarize(FLOATS, torch.full((6,), float(threshold))).numpy()
    assert np.array_equal(found, by_pillow(ImageOps.solarize, threshold))


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_posterize_is_that_of_pillow(bits):
    found = colour.posterize(FLOATS, torch.full((6,), float(bits))).numpy()
    assert np.array_equal(found, by_pillow(ImageOps.posterize, bits))


def test_equalize_and_auto_contrast_are_those_of_pillow():
    large = np.random.default_rng(0).integers(0, 120, (2, 40, 50, 3), dtype=np.uint8)
    floats = torch.from_numpy(large).float()
    expected = np.stack([np.asarray(ImageOps.equalize(Image.fromarray(image))) for image in large])
    assert np.array_equal(colour.equalize(floats).numpy(), expected)
    stretched = np.stack([np.asarray(ImageOps.autocontrast(Image.fromarray(image))) for image in large])
    assert np.abs(colour.auto_contrast(floats).numpy() - stretched).max() <= 1.0


def test_a_turned_hue_keeps_luma_and_a_full_circle_changes_nothing():
    turned = colour.hue(FLOATS, torch.full((6,), 0.3))
    torch.testing.assert_close(colour.luma(turned), colour.luma(FLOATS), atol=0.5, rtol=0)
    torch.testing.assert_close(colour.hue(FLOATS, torch.ones(6)), FLOATS, atol=0.5, rtol=0)
    red = torch.tensor([[[[200.0, 40, 40]]]])
    hues = [
        colorsys.rgb_to_hsv(*(colour.hue(red, torch.tensor([t]))[0, 0, 0] / 255).tolist())[0]
        for t in (0.0, 0.33)
    ]
    assert min(hues[0], 1 - hues[0]) < 0.001 and 0.2 < hues[1] < 0.8


def test_a_blur_keeps_the_mean_of_a_flat_picture_and_smooths_others():
    flat = torch.full((6, 9, 9, 3), 77, dtype=torch.uint8)
    assert torch.equal(Blur(probability=1.0)(flat, ADDRESS), flat)
    images = torch.from_numpy(IMAGES)
    blurred = Blur(least=1.5, most=1.5, probability=1.0)(images, ADDRESS)
    assert blurred.float().std() < 0.5 * images.float().std()
    assert torch.equal(Blur(probability=0.0)(images, ADDRESS), images)


def test_noise_has_the_asked_deviation():
    gray = torch.full((200, 20, 20, 1), 128, dtype=torch.float32)
    found = Noise(deviation=0.1, probability=1.0)(gray, Address(0, 0, np.arange(200), 0)) - 128
    deviations = found.flatten(1).std(1)
    assert found.mean().abs() < 0.2
    assert deviations.max() == pytest.approx(25.5, rel=0.06) and deviations.min() < 1.5
    assert deviations.mean() == pytest.approx(12.75, rel=0.15)


def test_grayscale_is_the_luma_of_pillow():
    found = Grayscale(probability=1.0)(torch.from_numpy(IMAGES), ADDRESS).numpy()
    expected = by_pillow(lambda image, _: image.convert("L").convert("RGB"), 0)
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_erased_and_cut_out_areas_have_the_asked_size():
    white = torch.full((300, 40, 50, 3), 255, dtype=torch.uint8)
    address = Address(0, 0, np.arange(300), 0)
    erased = (
        (Erasing(smallest=0.1, largest=0.3, probability=1.0)(white, address) == 0).float().mean(dim=(1, 2, 3))
    )
    assert erased.min() > 0.08 and erased.max() < 0.32
    some = (Erasing(probability=0.5)(white, address) == 0).flatten(1).any(1).float().mean()
    assert some == pytest.approx(0.5, abs=0.1)
    cut = (Cutout(size=6)(white, address) == 0)[..., 0].sum(dim=(1, 2))
    assert cut.max() == 36 and cut.min() >= 9
    assert (cut == 36).float().mean() > 0.6


def test_jitter_of_nothing_changes_nothing():
    images = torch.from_numpy(IMAGES)
    assert torch.equal(ColourJitter(probability=0.0, hue=0.0)(images, ADDRESS), images)
    assert not torch.equal(ColourJitter()(images, ADDRESS), images)
