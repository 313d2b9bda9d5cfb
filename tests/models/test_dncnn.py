"""The denoiser: what it takes off, its names, and what the published weights do."""

import numpy as np
import pytest
import torch
from PIL import Image

from trainwright.data.sources.degraded import DegradedSource
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.dncnn import dncnn
from trainwright.models.weights import apply_weights, load_weights
from trainwright.tasks.supervised.picture_errors import picture_errors


def target(channels=1):
    return {"clean": TensorSpec("image", (channels, 8, 8))}


def test_what_is_foretold_is_taken_off():
    torch.manual_seed(0)
    network, image = dncnn(1, target(), width=4, depth=3), torch.rand(2, 1, 6, 7)
    assert torch.equal(network(image), image)  # nothing at the start
    torch.nn.init.normal_(network.model[-1].weight)
    torch.testing.assert_close(network(image), image - network.model(image))
    assert [type(layer).__name__ for layer in network.model] == ["Conv2d", "ReLU"] * 2 + ["Conv2d"]


def test_batch_normalisation_stands_where_the_paper_has_it():
    network = dncnn(3, target(3), width=4, depth=4, batch_norm=True)
    kinds = [type(layer).__name__ for layer in network.model]
    middle = ["Conv2d", "BatchNorm2d", "ReLU"]
    assert kinds == ["Conv2d", "ReLU", *middle, *middle, "Conv2d"]
    assert network.model[2].bias is None


@pytest.mark.parametrize(
    "targets", [{"clean": TensorSpec("number", (1,))}, target(3), target() | {"x": target()["clean"]}]
)
def test_other_targets_are_refused(targets):
    with pytest.raises(ModelError, match="one picture of 1 channels"):
        dncnn(1, targets)


@torch.inference_mode()
def test_published_weights_take_the_noise_off(shared_data):
    [file] = (shared_data / "weights" / "dncnn").glob("*.pth")
    network = dncnn(1, target()).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == 555_137
    apply_weights(network, load_weights(file), strict=True)
    source = DegradedSource(root=str(shared_data / "deblur" / "BSD68"), noise=25, clip=False)
    noisy, clean = source.column("input"), source.column("target")
    before, after = [], []
    for row in range(0, len(source), 17):
        # A window suffices: the whole set takes minutes, see the recipe bsd68_dncnn_published.
        window = slice(80, 240)
        true = torch.from_numpy(np.array(Image.open(clean[row].path).convert("L"), dtype=np.float32))
        true = true[None, None, window, window]
        seen = torch.from_numpy(np.ascontiguousarray(noisy[row][window, window, 0]))[None, None]
        before.append(10 * np.log10(255**2 / (seen - true).square().mean().item()))
        after.append(picture_errors(255 * network(seen / 255), true)["psnr"].item())
    assert np.mean(before) == pytest.approx(20 * np.log10(255 / 25), abs=0.1)
    assert np.mean(after) > np.mean(before) + 7.5
