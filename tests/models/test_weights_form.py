"""A file in place of weights is told as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainwright.errors import ModelError
from trainwright.models.weights import load_weights
from trainwright.models.weights_form import refuse_other_content

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345678\n"


@pytest.mark.parametrize(
    ("name", "content", "what", "fix"),
    [
        ("w.safetensors", LFS, "a pointer of git-lfs", "git lfs pull"),
        ("w.pth", b"\n <!DOCTYPE html>\n<html>", "an HTML page", "direct link"),
        ("w.pth", b"<HTML><body>", "an HTML page", "direct link"),
        ("w.pth", b"", "is empty (0 bytes)", "again"),
        ("w.h5", b"\x89HDF\r\n\x1a\n", "weights of Keras", "safetensors"),
        ("w.keras", b"PK\x03\x04", "weights of Keras", "safetensors"),
        ("w.tflite", b"\x00\x00\x00\x00TFL3", "TensorFlow Lite", "converted from"),
        ("w.pth", b"PK\x03\x04" + bytes(100), "is cut off", "again"),
    ],
)
def test_other_content(tmp_path: Path, name: str, content: bytes, what: str, fix: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        refuse_other_content(tmp_path / name)
    assert name in caught.value.what and what in caught.value.what
    assert fix in caught.value.fix and caught.value.where == "init.path"


@pytest.mark.parametrize("kept", [20, 100, 5000])
def test_half_of_a_safetensors_file_says_how_much_is_there(tmp_path: Path, kept: int):
    path = tmp_path / "w.safetensors"
    save_file({"fc.weight": torch.rand(64, 256)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    with pytest.raises(ModelError, match="is cut off") as caught:
        load_weights(path)
    assert f"{kept:,} of" in caught.value.what
    assert kept < 100 or f"{len(whole):,} bytes" in caught.value.what


def test_half_of_a_file_of_torch_save(tmp_path: Path):
    path = tmp_path / "w.pth"
    torch.save({"fc.weight": torch.rand(64, 256)}, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="is cut off"):
        load_weights(path)


def test_whole_files_are_read(tmp_path: Path):
    weights = {"fc.weight": torch.rand(4, 2)}
    save_file(weights, tmp_path / "w.safetensors")
    torch.save(weights, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        assert torch.equal(load_weights(tmp_path / name)["fc.weight"], weights["fc.weight"])
