"""The network of Pasquet et al. 2019: shapes and parameters by the paper's description, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.models.specs import parameters
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.pasquet import Inception, pasquet, pasquet_small

BANDS = TensorSpec("image", (5, 64, 64))
REDDENING = TensorSpec("number", (1,))


def convolution(channels, filters, kernel, prelu=True):
    return channels * filters * kernel**2 + filters + (filters if prelu else 0)


def inception(channels, narrow, filters, five=True, prelu=True):
    """Parameters of one module, and its channels."""
    branches = [(channels, filters, 1), (channels, narrow, 1), (narrow, filters, 3), (channels, narrow, 1)]
    branches += [(channels, narrow, 1), (narrow, filters, 5)] if five else []
    return sum(convolution(*branch, prelu) for branch in branches), (3 if five else 2) * filters + narrow


def test_the_layers_of_the_paper():
    model = pasquet({"bands": BANDS, "ebv": REDDENING}, 180)
    shapes = []
    for layer in model.body:
        layer.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    out = model({"bands": torch.randn(2, 5, 64, 64), "ebv": torch.rand(2, 1)})
    assert out.shape == (2, 180)
    assert shapes == [
        (64, 64, 64),
        (64, 32, 32),
        (240, 32, 32),
        (340, 32, 32),
        (340, 16, 16),
        (476, 16, 16),
        (476, 16, 16),
        (476, 8, 8),
        (348, 8, 8),
    ]
    linear = [layer for layer in model.head if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [
        (22_272 + 1, 1096),
        (1096, 1096),
        (1096, 180),
    ]


def test_the_parameters_add_up():
    total, width = convolution(5, 64, 5), 64
    for narrow, filters in ((48, 64), (64, 92), (92, 128), (92, 128)):
        more, width = inception(width, narrow, filters)
        total += more
    total += inception(width, 92, 128, five=False)[0]
    total += (22_273 + 1) * 1096 + (1096 + 1) * 1096 + (1096 + 1) * 180
    found = parameters(pasquet({"bands": BANDS, "ebv": REDDENING}, 180))
    assert found == total == 27_596_372
    small = convolution(5, 64, 5, prelu=False)
    width = 64
    for narrow, filters, five in ((48, 64, True), (92, 128, True), (92, 128, False)):
        more, width = inception(width, narrow, filters, five, prelu=False)
        small += more
    small += (4 * 4 * 348 + 1) * 100
    found = parameters(pasquet_small({"bands": TensorSpec("image", (5, 32, 32))}, 100))
    assert found == small == 1_436_000


def test_initial_values_are_those_of_the_paper():
    model = pasquet({"bands": BANDS}, 180)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert (layer.bias == 0.1).all()
            fans = layer.weight.shape[0] + layer.weight.shape[1]
            bound = (6 / (fans * layer.weight[0, 0].numel())) ** 0.5
            assert float(layer.weight.detach().abs().max()) <= bound * 1.0001
            assert float(layer.weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.1)
        if isinstance(layer, nn.PReLU):
            assert (layer.weight == 0).all()
            assert layer.weight.numel() > 1


def test_the_pooled_branch_takes_the_mean_of_the_pixels_that_are_there():
    module = Inception(1, 1, 1, five=False, leaky=True)
    with torch.no_grad():
        module.pooled.convolution.weight.fill_(1)
        module.pooled.convolution.bias.zero_()
    x = torch.arange(1.0, 10).view(1, 1, 3, 3)
    want = [[3, 4, 4.5], [6, 7, 7.5], [7.5, 8.5, 9]]
    assert module(x)[0, -1].tolist() == want


def test_bands_may_be_images_of_their_own():
    specs = {band: TensorSpec("image", (1, 16, 16)) for band in "ugriz"}
    model = pasquet_small(specs | {"ebv": REDDENING}, 7)
    inputs = {band: torch.randn(2, 1, 16, 16) for band in specs} | {"ebv": torch.rand(2, 1)}
    assert model(inputs).shape == (2, 7)
    whole = pasquet_small({"bands": TensorSpec("image", (5, 16, 16)), "ebv": REDDENING}, 7)
    whole.load_state_dict(model.state_dict())
    stacked = {"bands": torch.cat([inputs[band] for band in specs], 1), "ebv": inputs["ebv"]}
    torch.testing.assert_close(whole(stacked), model(inputs))


def test_what_does_not_fit_is_told():
    with pytest.raises(ModelError, match="reads images of one size and numbers"):
        pasquet({"ebv": REDDENING}, 180)
    with pytest.raises(ModelError, match="reads images of one size and numbers"):
        pasquet({"u": BANDS, "g": TensorSpec("image", (1, 32, 32))}, 180)
    with pytest.raises(ModelError, match="too small for pasquet"):
        pasquet({"u": TensorSpec("image", (1, 7, 9))}, 180)


def galaxies(count, seed, size=8):
    """Round galaxies in three bands: a break in the spectrum moves through them as the redshift grows.

    Dust dims the bluest band most, so that without the reddening colours alone would mislead.
    """
    rng = np.random.default_rng(seed)
    redshift, dust = rng.uniform(0, 0.4, count), rng.uniform(0, 0.3, count)
    wave = np.array([4700.0, 6200.0, 7600.0])
    behind = 1 / (1 + np.exp(-(wave / (1 + redshift[:, None]) - 4600) / 500))
    flux = (0.1 + behind) * 10 ** (-0.4 * dust[:, None] * np.array([3.3, 2.3, 1.6]))
    radius = size / (5 + 15 * redshift)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    shape = np.exp(-(x**2 + y**2) / (2 * radius[:, None, None] ** 2))
    images = flux[:, :, None, None] * shape[:, None] + rng.normal(0, 0.01, (count, 3, size, size))
    return images.astype(np.float32), dust.astype(np.float32)[:, None], redshift


def test_redshifts_of_made_galaxies_are_learned():
    from trainwright.data.processors.distribution import DistributionProcessor
    from trainwright.losses.cross_entropy import cross_entropy
    from trainwright.metrics.redshift import redshift as statistics

    torch.manual_seed(0)
    bins = DistributionProcessor(bins=[place * 0.02 for place in range(21)])
    images, dust, true = (torch.from_numpy(array) for array in galaxies(320, 0))
    target = bins.to_tensor(torch.from_numpy(bins.encode_all(true.numpy())))["probabilities"]
    specs = {"bands": TensorSpec("image", (3, 8, 8)), "ebv": REDDENING}
    model = pasquet_small(specs, 20)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(50):
        rows = torch.arange(32 * step, 32 * step + 32) % 320
        optimizer.zero_grad()
        output = model({"bands": images[rows], "ebv": dust[rows]})
        cross_entropy(output, target[rows]).mean().backward()
        optimizer.step()
    images, dust, true = galaxies(200, 1)
    with torch.no_grad():
        output = model({"bands": torch.from_numpy(images), "ebv": torch.from_numpy(dust)})
    said = bins.decode(output.double().softmax(1))[:, None]
    found = statistics(said, true[:, None])
    blind = statistics(np.full_like(said, true.mean()), true[:, None])
    assert found["sigma_mad"] < 0.35 * blind["sigma_mad"], (found, blind)
    assert found["outliers"] < 0.5 * blind["outliers"]
