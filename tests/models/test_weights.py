"""Initial weights: what is read, what fits, and what is said of the rest."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from trainwright.errors import ModelError
from trainwright.models.weights import apply_weights, load_weights


def _net(classes=3):
    torch.manual_seed(classes)
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, classes))


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": s}, lambda s: {"model": s}]
)
@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_checkpoints_are_unwrapped(tmp_path, wrap, prefix):
    state = {prefix + name: value for name, value in _net().state_dict().items()}
    torch.save(wrap(state), tmp_path / "w.pt")
    loaded = load_weights(tmp_path / "w.pt")
    assert {name: value.tolist() for name, value in loaded.items()} == {
        name: value.tolist() for name, value in _net().state_dict().items()
    }


def test_safetensors_and_run_directories(tmp_path):
    (tmp_path / "weights").mkdir()
    save_file(_net().state_dict(), tmp_path / "weights" / "last.safetensors")
    assert load_weights(tmp_path).keys() == _net().state_dict().keys()
    save_file({"better": torch.ones(1)}, tmp_path / "weights" / "best.safetensors")
    assert list(load_weights(tmp_path)) == ["better"]


def test_kinds_are_told_by_content_not_by_name(tmp_path):
    save_file(_net().state_dict(), tmp_path / "weights.pth")
    assert "2.bias" in load_weights(tmp_path / "weights.pth")


class _Evil:
    def __reduce__(self):
        return (print, ("code of the file ran",))


def test_code_in_a_file_is_never_run(tmp_path, capsys):
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"a": _Evil()}))
    torch.save({"a": _Evil()}, tmp_path / "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(ModelError, match="cannot be read as plain weights"):
            load_weights(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_files_that_hold_no_weights(tmp_path):
    torch.save({"lr": 0.1, "steps": 3}, tmp_path / "no.pt")
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "empty.pt").write_bytes(b"")
    save_file(_net().state_dict(), tmp_path / "cut.safetensors")
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"holds no mapping(.|\n)*lr, steps"):
        load_weights(tmp_path / "no.pt")
    for name in ("text.pt", "empty.pt", "cut.safetensors"):
        with pytest.raises(ModelError, match=name):
            load_weights(tmp_path / name)


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "resnet20.pt").touch()
    with pytest.raises(ModelError, match=r"resnet21.pt(.|\n)*did you mean .*resnet20.pt"):
        load_weights(tmp_path / "resnet21.pt")
    with pytest.raises(ModelError, match="no weights/best"):
        load_weights(tmp_path)


def test_weights_of_keras_are_refused_in_words(tmp_path):
    (tmp_path / "keras.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20))
    with pytest.raises(ModelError, match="weights of Keras"):
        load_weights(tmp_path / "keras.h5")


def test_a_model_of_tensorflow_lite_is_refused_in_words(tmp_path):
    (tmp_path / "net.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(24))
    with pytest.raises(ModelError, match="TensorFlow Lite"):
        load_weights(tmp_path / "net.tflite")


def test_all_weights_arrive_in_the_models_dtype():
    net = _net().double()
    report = apply_weights(net, _net(3).state_dict())
    assert set(report.matched) == set(net.state_dict())
    assert net[0].weight.dtype == torch.float64
    assert torch.equal(net[0].weight.float(), _net(3)[0].weight)


def test_another_class_count_is_explained():
    with pytest.raises(ModelError) as caught:
        apply_weights(_net(7), _net(3).state_dict())
    assert "trained for 3 outputs and this model has 7" in caught.value.why
    assert 'init.exclude: ["2.*"]' in caught.value.fix


def test_excluded_weights_keep_their_start():
    net = _net(7)
    before = net[2].weight.detach().clone()
    report = apply_weights(net, _net(3).state_dict(), exclude=["2"])
    assert torch.equal(net[2].weight, before)
    assert torch.equal(net[0].weight, _net(3)[0].weight)
    assert report.excluded == ("2.weight", "2.bias")


def test_misfits_are_listed_with_both_shapes():
    weights = _net().state_dict()
    weights["0.weight"] = torch.zeros(9, 4)
    weights["extra"] = weights.pop("2.bias")
    with pytest.raises(ModelError) as caught:
        apply_weights(_net(), weights)
    for words in (
        "0.weight: [9, 4] in the file, [5, 4] in the model",
        "missing in the file: 2.bias",
        "extra",
    ):
        assert words in caught.value.why
    report = apply_weights(_net(), weights, strict=False)
    assert report.mismatched == {"0.weight": ((9, 4), (5, 4))}
    assert (report.missing, report.unexpected) == (("2.bias",), ("extra",))


def test_nothing_that_fits_is_an_error_even_when_not_strict():
    with pytest.raises(ModelError, match="not one of the file's weights"):
        apply_weights(_net(), {"other": torch.zeros(1)}, strict=False)


def test_a_pattern_that_names_nothing_is_an_error():
    with pytest.raises(ModelError, match=r"init.exclude: .*'fc\.\*'"):
        apply_weights(_net(), _net().state_dict(), exclude=["fc.*"])


def test_old_files_may_lack_the_batch_counter():
    weights = {n: v for n, v in _net().state_dict().items() if not n.endswith("num_batches_tracked")}
    assert apply_weights(_net(), weights).missing == ()


def test_what_became_of_every_weight_is_told():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(4, 5))
    given = {"0.weight": torch.ones(3, 2), "1.weight": torch.ones(9, 3), "old": torch.ones(1)}
    report = apply_weights(model, given | {"2.bias": torch.ones(5)}, exclude=["2"], strict=False)
    assert report.told() == (
        "1 of 6 weights loaded; left at their start as asked: 2.weight, 2.bias; missing in the file: 0.bias, "
        "1.bias; of another shape: 1.weight ([9, 3] in the file, [4, 3] in the model); not in the model: old"
    )
