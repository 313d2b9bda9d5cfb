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
