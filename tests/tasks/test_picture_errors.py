"""Errors of restored pictures, against SciPy's filters and numbers by hand."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from trainwright.metrics.psnr import psnr
from trainwright.metrics.ssim import ssim
from trainwright.tasks.supervised.picture_errors import picture_errors


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    clean = rng.uniform(0, 255, (3, 2, 24, 31))
    return torch.from_numpy(clean + rng.normal(0, 20, clean.shape)).float(), torch.from_numpy(clean).float()


def similarity(a, b):
    """Of one channel, as the paper's formula stands there; SciPy's window is cut after 5 pixels, too."""

    def mean(values):
        return gaussian_filter(values, 1.5, truncate=3.5)[5:-5, 5:-5]

    a, b = a.astype(np.float64), b.astype(np.float64)
    spread_a, spread_b = mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2
    both = mean(a * b) - mean(a) * mean(b)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    upper = (2 * mean(a) * mean(b) + c1) * (2 * both + c2)
    return (upper / ((mean(a) ** 2 + mean(b) ** 2 + c1) * (spread_a + spread_b + c2))).mean()


def test_similarity_is_that_of_the_paper(pair):
    found = picture_errors(*pair)["ssim"]
    clipped = pair[0].clamp(0, 255)
    want = [
        np.mean([similarity(a.numpy(), b.numpy()) for a, b in zip(*rows, strict=True)])
        for rows in zip(clipped, pair[1], strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), want, atol=2e-5)
    assert ssim({"ssim": found}, None)["ssim"] == pytest.approx(np.mean(want), abs=2e-5)


def test_decibels_by_hand():
    clean = torch.full((3, 1, 4, 4), 100.0)
    off = clean + torch.tensor([25.5, 2.55, 0.0])[:, None, None, None]
    found = picture_errors(off, clean)
    # A tenth of 255 is 20 dB, a hundredth 40; without an error it would be infinite.
    assert found["psnr"].tolist() == pytest.approx([20, 40, 100])
    assert psnr(found, None)["psnr"] == pytest.approx(160 / 3)
    assert found["ssim"][2] == 1


def test_what_cannot_be_shown_is_clipped_first():
    clean = torch.full((1, 1, 12, 12), 250.0)
    found = picture_errors(clean + 50, clean)
    assert found["psnr"].item() == pytest.approx(20 * np.log10(255 / 5))


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (10, 10), (11, 3)])
def test_small_pictures_have_a_smaller_window(size):
    clean = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 255
    found = picture_errors(255 - clean, clean)
    assert torch.isfinite(found["ssim"]).all() and (found["ssim"] < 1).all()
    assert picture_errors(clean, clean)["ssim"].tolist() == pytest.approx([1, 1])


def test_no_picture_depends_on_another(pair):
    whole = picture_errors(*pair)
    for place in range(3):
        alone = picture_errors(pair[0][[place]], pair[1][[place]])
        for name, value in alone.items():
            torch.testing.assert_close(value, whole[name][[place]])
