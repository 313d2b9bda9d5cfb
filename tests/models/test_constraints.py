"""Projections of weights, and initial values, by their definitions."""

import math

import pytest
import torch

from trainwright import registry
from trainwright.errors import ModelError
from trainwright.models.constraints import max_norm, min_max_norm, non_neg, unit_norm

NORMS = torch.tensor([0.5, 2.0, 4.0])


def _weights(shape=(3, 5, 2)):
    torch.manual_seed(0)
    weight = torch.randn(shape)
    return weight / weight.flatten(1).norm(dim=1).view(-1, *[1] * (len(shape) - 1)) * NORMS.view(-1, 1, 1)


def _norms(weight):
    return [math.sqrt(sum(v * v for v in unit.flatten().tolist())) for unit in weight]


def test_max_norm_only_shrinks():
    weight = _weights()
    max_norm(weight, maximum=3.0)
    assert _norms(weight) == pytest.approx([0.5, 2.0, 3.0])


def test_unit_norm_and_all_zero_units():
    weight = _weights()
    weight[0] = 0
    unit_norm(weight)
    assert _norms(weight) == pytest.approx([0.0, 1.0, 1.0])


def test_min_max_norm_goes_part_of_the_way():
    weight = _weights()
    min_max_norm(weight, minimum=1.0, maximum=3.0, rate=0.5)
    assert _norms(weight) == pytest.approx([0.75, 2.0, 3.5])
    with pytest.raises(ModelError, match="above its maximum"):
        min_max_norm(weight, minimum=2.0, maximum=1.0)


def test_non_neg():
    weight = torch.tensor([[-1.0, 2.0]])
    non_neg(weight)
    assert weight.tolist() == [[0.0, 2.0]]


FAN_IN, FAN_OUT = 300, 200
VARIANCES = {
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
    "lecun_uniform": 1 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "normal": 0.05**2,
    "uniform": 0.1**2 / 12,
    "variance_scaling": 2 / (FAN_IN + FAN_OUT),
}


@pytest.mark.parametrize("name", VARIANCES)
def test_variance_of_initializers(name):
    torch.manual_seed(0)
    tensor = torch.zeros(FAN_OUT, FAN_IN)
    registry.bind("initializer", name)(tensor)
    assert tensor.mean().item() == pytest.approx(0, abs=5e-3)
    assert tensor.var().item() == pytest.approx(VARIANCES[name], rel=0.03)


def test_truncated_normal_has_no_tails():
    tensor = torch.zeros(100, 100)
    registry.bind("initializer", {"name": "truncated_normal", "std": 0.1})(tensor)
    assert tensor.abs().max() <= 0.2
    assert tensor.std().item() == pytest.approx(0.088, abs=0.003)
