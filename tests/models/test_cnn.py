"""The small convolutional network."""

import pytest
import torch
from torch import nn

from tests.models.specs import COLOUR, FOUR, GREY, parameters
from trainwright.errors import ModelError
from trainwright.models.cnn import cnn


def test_default_is_16_32_64_fc64():
    convolutions = (9 * 1 + 1) * 16 + (9 * 16 + 1) * 32 + (9 * 32 + 1) * 64
    assert parameters(cnn({"x": GREY}, 10)) == convolutions + (64 * 3 * 3 + 1) * 64 + (64 + 1) * 10


def test_pooling_before_relu_gives_the_values_and_gradients_of_the_textbook_order():
    torch.manual_seed(0)
    net = cnn({"x": GREY}, 10)
    blocks = []
    for index in (1, 2, 3):
        blocks += [getattr(net, f"conv{index}"), nn.ReLU(), nn.MaxPool2d(2)]
    textbook = nn.Sequential(*blocks, nn.Flatten(), net.fc, nn.ReLU(), net.head)
    images = torch.randn(4, 1, 28, 28)
    gradients = []
    for model in (net, textbook):
        net.zero_grad()
        model(images).square().sum().backward()
        gradients.append([p.grad.clone() for p in net.parameters()])
    assert torch.equal(net(images), textbook(images))
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_gelu_which_is_not_monotone_stays_before_pooling():
    names = list(cnn({"x": GREY}, 10, activation="gelu")._modules)
    assert names.index("act1") < names.index("pool1")


def test_knobs():
    net = cnn({"x": COLOUR}, 5, widths=[8], head=0, batch_norm=True, dropout=0.2)
    assert parameters(net) == 9 * 3 * 8 + 2 * 8 + 8 * 16 * 16 * 5 + 5
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_zero_outputs_give_features():
    assert cnn({"x": COLOUR}, 0)(torch.zeros(2, 3, 32, 32)).shape == (2, 64)


def test_too_small_an_image_is_refused_in_words():
    with pytest.raises(ModelError, match=r"28x28 pixels is too small for 5 blocks"):
        cnn({"x": GREY}, 10, widths=[4] * 5)


def test_inputs_other_than_one_image_are_refused():
    with pytest.raises(ModelError, match=r"reads one image, but the inputs are: a \(image\), b \(number\)"):
        cnn({"a": GREY, "b": FOUR}, 10)
