"""The adapter to timm: one small network of each family, and everything that it refuses."""

import pytest
import torch

from tests.models.specs import parameters
from trainwright.data.types import TensorSpec
from trainwright.engine.optimizers.sgd import sgd
from trainwright.errors import ModelError
from trainwright.models.inspect import check_model
from trainwright.models.timm_model import timm_model

FAMILIES = [
    ("resnet10t", 32),
    ("mobilenetv2_035", 32),
    ("mobilenetv3_small_050", 32),
    ("efficientnet_lite0", 32),
    ("regnetx_002", 32),
    ("convnext_atto", 32),
    ("vit_tiny_patch16_224", 32),
    ("swin_tiny_patch4_window7_224", 32),
    ("mixer_s32_224", 64),
    ("ghostnet_050", 32),
    ("densenet121", 32),
    ("edgenext_xx_small", 64),
    ("dla46_c", 32),
]


@pytest.mark.parametrize(("name", "size"), FAMILIES)
def test_two_steps_of_each_family(name, size):
    torch.manual_seed(0)
    net = timm_model(name, 3, 4, (size, size)).train()
    optimizer = sgd(list(net.named_parameters()), lr=0.01)
    before = [p.detach().clone() for p in net.parameters()]
    for _ in range(2):
        optimizer.zero_grad()
        out = net(torch.randn(2, 3, size, size))
        assert out.shape == (2, 4)
        (out - 1).square().mean().backward()
        optimizer.step()
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)]
    assert sum(moved) > len(moved) / 2
    assert all(p.isfinite().all() for p in net.parameters())


def test_size_on_the_meta_device_is_that_of_the_literature():
    spec = {"x": TensorSpec("image", (3, 224, 224))}
    summary = check_model(lambda: timm_model("mobilenetv2_100", 3, 1000, (224, 224)), spec, 1000)
    assert summary.parameters == 3_504_872
    assert all(p.is_meta for p in _on_meta("resnet10t").parameters())


def _on_meta(name):
    with torch.device("meta"):
        return timm_model(name, 3, 10, (32, 32))


def test_channels_and_features():
    assert timm_model("resnet10t", 1, 0, (32, 32))(torch.zeros(2, 1, 32, 32)).shape == (2, 512)


def test_drop_rates_and_options_reach_the_constructor():
    net = timm_model("resnet10t", 3, 10, (32, 32), drop_rate=0.25, options={"stem_width": 16})
    assert net.drop_rate == 0.25
    assert net.conv1[0].out_channels == 3 * (16 // 4)  # the first of the three convolutions of its stem


def test_a_vision_transformer_is_built_for_the_size_of_the_images():
    net = timm_model("vit_tiny_patch16_224", 3, 10, (48, 32))
    assert net.patch_embed.grid_size == (3, 2)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("mobilenetv2_10", {}, r"no architecture 'mobilenetv2_10'"),
        ("resnet18.nope", {}, r"no weights 'nope' for resnet18"),
        ("resnet18", {"options": {"drop_rates": 1}}, r"model.options.drop_rates: .*(.|\n)*'drop_rate'"),
        ("vit_tiny_patch16_224", {"options": {"patch_sizes": 4}}, r"takes no argument 'patch_sizes'"),
        ("vgg11", {"drop_path_rate": 0.1}, r"model.drop_path_rate: vgg11 takes no argument"),
    ],
)
def test_mistakes_are_named(name, arguments, words, device):
    with torch.device(device), pytest.raises(ModelError, match=words):
        timm_model(name, 3, 10, (32, 32), **arguments)


def test_an_image_that_patches_do_not_fill_is_refused():
    with pytest.raises(ModelError, match=r"30x30 pixels(.|\n)*patches of 16x16"):
        timm_model("vit_tiny_patch16_224", 3, 10, (30, 30))


def test_too_small_an_image_is_refused_in_words():
    spec = {"x": TensorSpec("image", (3, 32, 32))}
    with pytest.raises(ModelError, match=r"cannot read images of 32x32 pixels(.|\n)*published for 299x299"):
        check_model(lambda: timm_model("inception_v3", 3, 10, (32, 32)), spec, 10)


def test_without_a_network_pretrained_names_the_file(monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *a, **k: None)
    with pytest.raises(ModelError) as caught:
        timm_model("mobilenetv2_100", 3, 10, (32, 32), pretrained=True)
    assert "model.safetensors of timm/mobilenetv2_100.ra_in1k" in caught.value.fix
    assert "init: {path: FILE}" in caught.value.fix


def test_pretrained_weights_come_from_the_cache(monkeypatch, tmp_path):
    from safetensors.torch import save_file

    published = timm_model("resnet10t", 3, 1000, (32, 32))
    save_file(published.state_dict(), tmp_path / "model.safetensors")
    cached = str(tmp_path / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *a, **k: cached)
    net = timm_model("resnet10t", 3, 10, (32, 32), pretrained=True)
    assert torch.equal(net.layer1[0].conv1.weight, published.layer1[0].conv1.weight)
    assert net.fc.weight.shape == (10, 512)
    assert parameters(net) < parameters(published)
