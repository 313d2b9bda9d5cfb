"""Our small backbone."""

import pytest
import torch

from trainwright.errors import ModelError
from trainwright.models.backbones.small import small


def test_maps_have_the_stated_channels_and_strides():
    backbone = small(1, widths=[8, 16, 24], blocks=[1, 2, 1])
    assert backbone.channels == (8, 16, 24)
    assert backbone.strides == (4, 8, 16)
    maps = backbone(torch.zeros(2, 1, 70, 94))
    expected = [
        (2, width, -(-70 // stride), -(-94 // stride)) for width, stride in [(8, 4), (16, 8), (24, 16)]
    ]
    assert [tuple(map.shape) for map in maps] == expected


def test_widths_without_blocks_are_refused():
    with pytest.raises(ModelError, match="3 widths and 2 numbers of blocks"):
        small(3, widths=[8, 8, 8], blocks=[1, 1])


def test_maps_that_are_too_fine_are_left_out():
    network = small(3, widths=[4, 6, 8], blocks=[1, 1, 1], finest=8)
    assert (network.channels, network.strides) == ((6, 8), (8, 16))
    assert [tuple(map.shape) for map in network(torch.zeros(2, 3, 32, 48))] == [(2, 6, 4, 6), (2, 8, 2, 3)]
    with pytest.raises(ModelError, match="stride 32"):
        small(3, widths=[4, 6], blocks=[1, 1], finest=32)
