"""What a file that should hold weights really is: refused, where it holds none, as what it is."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

from trainwright.errors import ModelError

_HEAD = 512  # bytes
_LFS = b"version https://git-lfs.github.com/spec/"
_KERAS = (".h5", ".hdf5", ".keras")
_AGAIN = "download or copy it again"
_LARGEST_HEADER = 100_000_000  # bytes that the format of safetensors allows


def is_safetensors(file: Path) -> bool:
    """Whether a file begins as one of safetensors does: eight bytes of length, then JSON."""
    with file.open("rb") as opened:
        return opened.read(9)[8:] == b"{"


def refuse_other_content(file: Path) -> None:
    """Refuses what is no file of weights, or one of another program, or half of one.

    Raises:
        ModelError: Says what the file is, and how to come by the weights.
    """
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    if not head:
        raise _refusal(f"{file} is empty (0 bytes)", "", _AGAIN)
    if head.startswith(_LFS):
        raise _refusal(
            f"{file} is a pointer of git-lfs in place of the weights",
            "the repository was cloned without its large files",
            f"run `git lfs pull` in the folder of {file.name}",
        )
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise _refusal(
            f"{file} is an HTML page in place of the weights",
            "what was saved is the page that leads to them, or asks to sign in",
            "download the file itself, by its direct link",
        )
    if head.startswith(b"\x89HDF") or file.suffix.lower() in _KERAS:
        raise _refusal(
            f"{file} holds weights of Keras, whose names and axes are not those of a PyTorch network",
            "",
            "transpose the kernels and save them as safetensors under the network's own names",
        )
    if head[4:8] == b"TFL3":  # the identifier of the FlatBuffers schema
        raise _refusal(
            f"{file} is a model of TensorFlow Lite, which cannot be trained on",
            "its weights are folded, often rounded to integers, and have no names of a PyTorch network",
            "take the weights that it was converted from, as safetensors or as a file of torch.save",
        )
    _refuse_half(file, head)


def _refuse_half(file: Path, head: bytes) -> None:
    """A download or copy that ended early."""
    if head[8:9] == b"{":
        size, whole = file.stat().st_size, _whole_size(file, head)
        if size < whole:
            raise _refusal(
                f"{file} is cut off: {size:,} of {whole:,} bytes are there",
                "a download or a copy ended early",
                _AGAIN,
            )
    elif head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(file):
        raise _refusal(
            f"{file} is cut off: the end of the archive is missing",
            "a download or a copy ended early",
            _AGAIN,
        )


def _whole_size(file: Path, head: bytes) -> int:
    """Bytes that a file of safetensors says it has; at least those of its header."""
    (length,) = struct.unpack("<Q", head[:8])
    if length > _LARGEST_HEADER:
        return 0  # damaged, not cut off
    with file.open("rb") as opened:
        opened.seek(8)
        text = opened.read(length)
    try:
        ends = [
            entry["data_offsets"][1] for name, entry in json.loads(text).items() if name != "__metadata__"
        ]
        return 8 + length + max(map(int, ends), default=0)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return 8 + length


def _refusal(what: str, why: str, fix: str) -> ModelError:
    return ModelError(what, where="init.path", why=why, fix=fix)
