"""Encoders, aggregator and head."""

import pytest
import torch

from tests.models.specs import ABC, COLOUR, FOUR, GREY, ONE, parameters
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, RecipeError
from trainwright.models.compose import compose

IRIS = dict.fromkeys(("sepal_length", "sepal_width", "petal_length", "petal_width"), ONE)


def test_iris_with_four_inputs_of_one():
    ten = {"name": "mlp", "hidden": [10]}
    net = compose(IRIS, 3, encoders=dict.fromkeys(IRIS, ten), hidden=[100, 100])
    assert parameters(net) == 4 * (10 + 10) + (40 * 100 + 100) + (100 * 100 + 100) + (100 * 3 + 3)
    assert net({name: torch.zeros(5, 1) for name in IRIS}).shape == (5, 3)


def test_one_encoder_can_be_shared():
    encoders = {"a": {"name": "mlp", "hidden": [10]}, "b": {"shared": "a"}}
    net = compose({"a": FOUR, "b": FOUR}, 2, encoders=encoders, aggregator={"name": "sum"})
    assert parameters(net) == (4 * 10 + 10) + (10 * 2 + 2)
    x, y = torch.randn(3, 4), torch.randn(3, 4)
    assert torch.allclose(net({"a": x, "b": y}), net({"a": y, "b": x}), atol=1e-6)


def test_columns_have_encoders_by_their_type():
    net = compose({"x": GREY, "n": FOUR, "c.d": ABC}, 2)
    assert net.head[0].in_features == 64 + 4 + 8
    batch = {"x": torch.zeros(2, 1, 28, 28), "n": torch.zeros(2, 4), "c.d": torch.tensor([0, 1])}
    assert net(batch).shape == (2, 2)


def test_mean_is_the_mean():
    net = compose({"a": FOUR, "b": FOUR}, 0, aggregator={"name": "mean"})
    out = net({"a": torch.full((1, 4), 2.0), "b": torch.full((1, 4), 4.0)})
    assert out.tolist() == [[3.0] * 4]


def test_a_single_input_is_taken_as_a_tensor():
    assert compose({"x": COLOUR}, 5, encoders={"x": {"name": "resnet_cifar"}})(
        torch.zeros(2, 3, 32, 32)
    ).shape == (2, 5)


def test_building_leaves_the_encoder_in_training_mode_with_its_statistics():
    net = compose({"x": GREY}, 2, encoders={"x": {"name": "cnn", "batch_norm": True}})
    assert all(module.training for module in net.modules())
    norms = [module for module in net.modules() if hasattr(module, "running_mean")]
    assert norms
    assert all(module.running_mean.abs().sum() == 0 for module in norms)


@pytest.mark.parametrize(
    ("inputs", "options", "words"),
    [
        ({"a": FOUR}, {"encoders": {"b": "mlp"}}, r"no input column 'b'"),
        ({"a": FOUR, "b": ONE}, {"encoders": {"b": {"shared": "a"}}}, r"type and shape"),
        ({"a": FOUR, "b": FOUR}, {"encoders": {"b": {"shared": "c"}}}, r"'c' is no input column"),
        ({"a": FOUR, "b": FOUR}, {"encoders": {"b": {"shared": "a", "hidden": [3]}}}, r"no parameters"),
        ({"a": FOUR, "b": ONE}, {"aggregator": {"name": "sum"}}, r"widths 4, 1"),
        ({"a": FOUR}, {"encoders": {"a": "resnet_cifar"}}, r"exactly one image"),
        ({"a": FOUR}, {"encoders": {"a": "embedding"}}, r"of type number"),
    ],
)
def test_mistakes(inputs, options, words):
    with pytest.raises(ModelError, match=words):
        compose(inputs, 2, **options)


def test_an_unknown_encoder():
    with pytest.raises(RecipeError, match=r"model\.encoders\.a"):
        compose({"a": FOUR}, 2, encoders={"a": "mpl"})


def test_every_type_of_input_has_an_encoder_by_default():
    inputs = {
        "photo": TensorSpec("image", (3, 16, 16)),
        "curve": TensorSpec("series", (2, 30)),
        "sound": TensorSpec("audio", (1, 400)),
        "clip": TensorSpec("video", (3, 4, 16, 16)),
        "words": TensorSpec("text", (5,), "int64", ("", "<unknown>", "a")),
        "kind": TensorSpec("category", (), "int64", ("x", "y")),
        "size": TensorSpec("number", (2,)),
    }
    model = compose(inputs, 3)
    given = {
        name: torch.zeros(2, *spec.shape, dtype=getattr(torch, spec.dtype)) for name, spec in inputs.items()
    }
    assert model(given).shape == (2, 3)
