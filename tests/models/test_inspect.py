"""A model looked at without memory."""

import pytest
import torch
from torch import nn

from tests.models.specs import ABC, COLOUR, FOUR, GREY
from trainwright.errors import ModelError
from trainwright.models.cnn import cnn
from trainwright.models.inspect import check_model, example_inputs, trace
from trainwright.models.mlp import mlp


def test_shapes_and_counts_by_hand():
    summary = check_model(lambda: mlp({"x": FOUR}, 3, hidden=[10]), {"x": FOUR}, 3)
    assert [(x.name, x.shape, x.parameters) for x in summary.layers] == [
        ("fc1", (10,), 50),
        ("act1", (10,), 0),
        ("head", (3,), 33),
    ]
    assert (summary.parameters, summary.trainable, summary.size) == (83, 83, 332)
    assert "83 parameters, 83 trainable" in summary.text()


def test_a_long_summary_is_cut():
    assert "... and 8 more layers" in check_model(lambda: cnn({"x": GREY}, 10), {"x": GREY}).text(limit=5)


def test_several_inputs_come_as_a_dict():
    made = example_inputs({"a": FOUR, "c": ABC})
    assert {name: (tuple(t.shape), t.dtype) for name, t in made.items()} == {
        "a": ((2, 4), torch.float32),
        "c": ((2,), torch.int64),
    }
    inputs = {"a": FOUR, "c": ABC}
    assert check_model(lambda: mlp(inputs, 3), inputs, 3).outputs == {"output": (3,)}


def test_the_layer_where_shapes_break_is_named():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(783, 10))

        def forward(self, x):
            return self.body(x)

    with pytest.raises(ModelError, match=r"layer 'body.1' \(Linear\) fails on an input of shape \[B, 784\]"):
        check_model(Net, {"x": GREY})


def test_hooks_are_gone_afterwards():
    net = nn.Linear(4, 2)
    trace(net, torch.zeros(2, 4))
    with pytest.raises(ModelError):
        trace(net, torch.zeros(2, 5))
    assert not net._forward_hooks
    assert not net._forward_pre_hooks


def test_a_network_that_looks_at_values_is_tried_in_earnest():
    class Net(nn.Linear):
        def forward(self, x):
            return super().forward(x) if float(x.sum()) == 0 else x

    assert check_model(lambda: Net(4, 3), {"x": FOUR}, 3).outputs == {"output": (3,)}


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (lambda: nn.Linear(4, 7), r"gives 7 numbers per sample, but the targets need 3"),
        (lambda: nn.Unflatten(1, (2, 2)), r"output has shape \[B, 2, 2\]"),
        (lambda: nn.LSTM(4, 3), r"the model gives tuple as output"),
    ],
)
def test_outputs_that_do_not_fit(net, words):
    with pytest.raises(ModelError, match=words):
        check_model(net, {"x": FOUR}, 3)


def test_nothing_is_allocated():
    assert (
        check_model(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 10**7)), {"x": COLOUR}).parameters
        > 3e10
    )
