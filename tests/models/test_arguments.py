"""What a constructor may ask for by name."""

import pytest
import torch
from torch import nn

from tests.models.specs import COLOUR, FOUR, ONE
from trainwright.errors import ModelError, RecipeError
from trainwright.models.arguments import build_model, model_arguments


class Net(nn.Module):
    """A network of a user."""

    def __init__(self, in_features, num_classes, *, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(in_features, width), nn.Linear(width, num_classes))

    def forward(self, x):
        return self.layers(x)


def factory(num_outputs):
    """Gives no network."""
    return num_outputs


def test_names_for_an_image():
    found = model_arguments({"x": COLOUR}, 10)
    assert found == {
        "inputs": {"x": COLOUR},
        "num_outputs": 10,
        "num_classes": 10,
        "in_channels": 3,
        "image_size": (32, 32),
    }


def test_names_for_numbers():
    assert model_arguments({"a": FOUR, "b": ONE}, 2)["in_features"] == 5


def test_a_users_class_gets_the_names_that_it_asks_for():
    net = build_model({"name": f"{__name__}:Net", "width": 5}, {"x": FOUR}, 3)
    assert net(torch.zeros(2, 4)).shape == (2, 3)
    assert net.layers[0].out_features == 5


def test_a_model_for_images_refuses_numbers_in_words():
    for name in ("resnet_cifar", "resnet18"):
        with pytest.raises(ModelError, match=r"reads exactly one image, but the inputs are: x \(number\)"):
            build_model({"name": name}, {"x": FOUR}, 3)


def test_a_factory_must_give_a_module():
    with pytest.raises(ModelError, match="gave int, which is no"):
        build_model({"name": f"{__name__}:factory"}, {"x": FOUR}, 3)


def test_timm_by_its_own_name():
    net = build_model({"name": "resnet10t", "drop_rate": 0.1}, {"x": COLOUR}, 4)
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 4)


def test_unknown_models_name_the_nearest():
    with pytest.raises(RecipeError, match="resnet_cifar"):
        build_model({"name": "resnet_cifer"}, {"x": COLOUR}, 4)
