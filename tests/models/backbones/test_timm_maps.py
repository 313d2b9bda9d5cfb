"""Maps of timm's networks, against timm itself."""

import pytest
import timm
import torch

from trainwright import registry
from trainwright.errors import ModelError


def built(name, size=(96, 64), channels=3, **parameters):
    return registry.build("backbone", {"name": name, **parameters}, in_channels=channels, image_size=size)


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_100", "swin_tiny_patch4_window7_224"])
def test_maps_are_those_of_timm_with_the_stated_sizes(name):
    size = (224, 224) if "swin" in name else (96, 64)
    ours = built(name, size).eval()
    theirs = timm.create_model(name, features_only=True).eval()
    reductions = theirs.feature_info.reduction()
    kept = [place for place, stride in enumerate(reductions) if stride >= 4]
    assert list(ours.strides) == [reductions[place] for place in kept]
    theirs.load_state_dict(ours.network.state_dict())
    torch.manual_seed(3)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        found, all_theirs = ours(image), theirs(image)
    expected = [all_theirs[place] for place in kept]
    if "swin" in name:
        expected = [map.permute(0, 3, 1, 2) for map in expected]
    for map, wanted, channels, stride in zip(found, expected, ours.channels, ours.strides, strict=True):
        torch.testing.assert_close(map, wanted)
        assert map.shape[1:] == (channels, size[0] // stride, size[1] // stride)


def test_a_transformer_of_one_stride_gives_its_maps():
    backbone = built("vit_tiny_patch16_224", (224, 224)).eval()
    assert set(backbone.strides) == {16}
    with torch.no_grad():
        assert backbone(torch.zeros(1, 3, 224, 224))[-1].shape == (1, 192, 14, 14)


def test_levels_and_the_finest_stride_are_chosen():
    backbone = built("resnet18", finest=8, levels=2)
    assert backbone.strides == (8, 16)
    with torch.no_grad():
        assert [map.shape[2] for map in backbone.eval()(torch.zeros(1, 3, 96, 64))] == [12, 6]


def test_frozen_stages_are_not_trained():
    frozen = built("resnet18", frozen_stages=2)
    trained = [name for name, parameter in frozen.named_parameters() if parameter.requires_grad]
    still = [name for name, parameter in frozen.named_parameters() if not parameter.requires_grad]
    assert "network.conv1.weight" in still
    assert any(name.startswith("network.layer4") for name in trained)


def test_too_many_levels_are_refused_with_the_strides():
    with pytest.raises(ModelError, match="has 3 maps of stride 8 and more, not 5"):
        built("resnet18", finest=8, levels=5)


def test_an_unknown_option_is_refused_with_the_closest_match():
    with pytest.raises(ModelError, match="takes no argument 'stem_widht'"):
        built("resnet18", options={"stem_widht": 3})
