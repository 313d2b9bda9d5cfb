"""The residual networks against He et al.'s table 6 and published weights."""

import pytest
import torch

from tests.models.specs import COLOUR, parameters
from trainwright.models.resnet_cifar import resnet_cifar
from trainwright.models.weights import apply_weights, load_weights


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_size_is_that_of_the_paper(depth, millions):
    with torch.device("meta"):
        net = resnet_cifar(3, 10, depth=depth)
    assert parameters(net) / 1e6 == pytest.approx(millions, abs=0.05 if depth == 110 else 0.005)


@pytest.mark.parametrize(("depth", "name"), [(20, "resnet20-12fca82f.th"), (32, "resnet32-d509ac18.th")])
def test_published_weights_fit_strictly(depth, name, shared_data):
    net = resnet_cifar(3, 10, depth=depth)
    weights = load_weights(shared_data / "weights" / "resnet_cifar10" / name)
    report = apply_weights(net, weights)
    assert set(report.matched) == set(net.state_dict()) - {
        n for n in net.state_dict() if n.endswith("num_batches_tracked") and n not in weights
    }
    assert torch.equal(net.linear.weight, weights["linear.weight"])


def test_option_a_adds_zero_channels_around_every_second_pixel():
    shortcut = resnet_cifar(3, 10).layer2[0].shortcut
    x = torch.randn(2, 16, 5, 5)
    out = shortcut(x)
    assert out.shape == (2, 32, 3, 3)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert out[:, :8].abs().sum() == out[:, 24:].abs().sum() == 0


def test_option_b_projects():
    a, b = resnet_cifar(3, 10), resnet_cifar(3, 10, shortcut="B")
    assert parameters(b) - parameters(a) == 16 * 32 + 64 + 32 * 64 + 128
    assert b(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_width_and_features():
    assert resnet_cifar(1, 0, width=4)(torch.zeros(2, *COLOUR.shape)[:, :1]).shape == (2, 16)
