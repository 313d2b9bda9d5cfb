"""The pyramid against torchvision's, with the same weights."""

import torch
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from trainwright.models.necks.fpn import fpn


def maps(channels, sizes):
    torch.manual_seed(1)
    return [torch.randn(2, count, *size) for count, size in zip(channels, sizes, strict=True)]


def test_levels_equal_torchvisions_also_for_odd_sizes():
    channels, sizes = (8, 16, 24), [(13, 21), (7, 11), (4, 6)]
    ours = fpn(channels, (4, 8, 16), width=12)
    theirs = FeaturePyramidNetwork(list(channels), 12)
    for place in range(3):
        theirs.inner_blocks[place][0].load_state_dict(ours.lateral[place].state_dict())
        theirs.layer_blocks[place][0].load_state_dict(ours.smooth[place].state_dict())
    given = maps(channels, sizes)
    expected = theirs({str(place): map for place, map in enumerate(given)})
    for found, wanted in zip(ours(given), expected.values(), strict=True):
        torch.testing.assert_close(found, wanted)


def test_further_levels_equal_torchvisions():
    ours = fpn((8,), (8,), width=12, extra=2)
    theirs = FeaturePyramidNetwork([8], 12, extra_blocks=LastLevelP6P7(12, 12))
    theirs.inner_blocks[0][0].load_state_dict(ours.lateral[0].state_dict())
    theirs.layer_blocks[0][0].load_state_dict(ours.smooth[0].state_dict())
    theirs.extra_blocks.p6.load_state_dict(ours.further[0].state_dict())
    theirs.extra_blocks.p7.load_state_dict(ours.further[1].state_dict())
    given = maps((8,), [(16, 20)])
    expected = list(theirs({"0": given[0]}).values())
    found = ours(given)
    assert [tuple(map.shape[2:]) for map in found] == [(16, 20), (8, 10), (4, 5)]
    for mine, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, wanted)
    assert ours.strides == (8, 16, 32)
    assert ours.channels == (12, 12, 12)
