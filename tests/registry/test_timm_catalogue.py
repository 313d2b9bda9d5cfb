import json

import pytest

from trainwright.registry import timm_catalogue as module

SOURCE = """
default_cfgs = generate_default_cfgs({
    'tiny_net.a1_in1k': _cfg(url=''),
    "tiny_net.b2": _cfg(),
    'other.c': _cfg(),
})

def not_a_model(x): ...

@register_model
def tiny_net(pretrained=False, **kwargs): ...

@register_model
@deprecated
def wide_net(pretrained=False, **kwargs): ...
"""


def test_names_and_tags_are_read_from_the_source(tmp_path):
    (tmp_path / "net.py").write_text(SOURCE)
    assert module.read_names(tmp_path) == {"tiny_net": ("a1_in1k", "b2"), "wide_net": ()}


def test_installed_timm_is_read_and_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    module.timm_names.cache_clear()
    first = module.timm_names()
    assert {"resnet50", "mobilenetv2_100", "vit_base_patch16_224"} <= set(first)
    (stored,) = (tmp_path / "trainwright").iterdir()
    assert set(json.loads(stored.read_text())) == set(first)
    module.timm_names.cache_clear()
    assert module.timm_names() == first


def test_torn_cache_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    module.timm_names.cache_clear()
    first = module.timm_names()
    (stored,) = (tmp_path / "trainwright").iterdir()
    stored.write_text("{")
    module.timm_names.cache_clear()
    assert module.timm_names() == first


def test_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    module.timm_names.cache_clear()
    assert "resnet50" in module.timm_names()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("resnet50", True),
        ("resnet50.a1_in1k", True),
        ("resnet50.nope", False),
        ("resnet51", False),
        ("", False),
    ],
)
def test_is_timm_name(name: str, known: bool):
    assert module.is_timm_name(name) is known


def test_same_names_as_timm_lists_itself():
    timm = pytest.importorskip("timm")
    assert set(module.timm_names()) == set(timm.list_models())
