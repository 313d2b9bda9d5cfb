"""What PyTorch says of a layer that fails becomes advice."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.models.misfits import how_to_fit


def said(layer: nn.Module, *shape: int) -> str:
    with pytest.raises(RuntimeError) as caught:
        layer(torch.zeros(shape))
    return str(caught.value)


def test_colours_that_a_first_layer_does_not_read():
    advice = how_to_fit(said(nn.Conv2d(3, 8, 3), 2, 1, 8, 8))
    assert "build it for 1 channel" in advice and "mode: rgb" in advice


def test_channels_that_no_picture_has():
    advice = how_to_fit(said(nn.Conv2d(64, 8, 3), 2, 32, 8, 8))
    assert "32 channels" in advice and "mode" not in advice


def test_features_of_another_number():
    advice = how_to_fit(said(nn.Linear(392, 10), 2, 128))
    assert "128 features reach it in place of 392" in advice


def test_anything_else():
    assert "fit" in how_to_fit("index out of range in self")
