"""The multi-layer perceptron and its inputs."""

import torch
from torch import nn

from tests.models.specs import ABC, FOUR, GREY, ONE, parameters
from trainwright.models.mlp import mlp


def test_parameters_counted_by_hand():
    net = mlp({"x": FOUR}, 3, hidden=[10, 20])
    assert parameters(net) == (4 * 10 + 10) + (10 * 20 + 20) + (20 * 3 + 3)


def test_a_single_vector_costs_no_extra_module():
    assert [type(m) for m in mlp({"x": FOUR}, 3, hidden=[5])] == [nn.Linear, nn.ReLU, nn.Linear]


def test_images_are_flattened():
    assert mlp({"x": GREY}, 10)(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_inputs_are_concatenated_in_order():
    net = mlp({"n": FOUR, "c": ABC, "m": ONE}, 2, hidden=[])
    head = net.head
    with torch.no_grad():
        head.weight.copy_(torch.arange(16.0).view(2, 8))
        head.bias.zero_()
    values = {"m": torch.tensor([[9.0]]), "c": torch.tensor([2]), "n": torch.tensor([[1.0, 2, 3, 4]])}
    row = torch.tensor([1.0, 2, 3, 4, 0, 0, 1, 9])
    assert torch.equal(net(values)[0], head.weight @ row)


def test_a_lone_category_is_one_hot():
    net = mlp({"c": ABC}, 2, hidden=[])
    assert torch.allclose(net(torch.tensor([1]))[0], net.head.weight[:, 1] + net.head.bias)


def test_categories_can_be_embedded():
    net = mlp({"a.b": ABC, "n": ONE}, 2, hidden=[], categories="embedding", embedding=5)
    assert parameters(net) == 3 * 5 + (5 + 1) * 2 + 2
    assert net({"a.b": torch.tensor([0, 2]), "n": torch.zeros(2, 1)}).shape == (2, 2)


def test_zero_outputs_leave_the_head_out():
    assert mlp({"x": FOUR}, 0, hidden=[7])(torch.zeros(2, 4)).shape == (2, 7)


def test_options_add_their_layers():
    kinds = [
        type(m) for m in mlp({"x": FOUR}, 3, hidden=[5], activation="gelu", dropout=0.1, batch_norm=True)
    ]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.GELU, nn.Dropout, nn.Linear]
