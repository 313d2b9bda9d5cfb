"""Tar shards: samples by key, columns by suffix, splits by the shards' names."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainwright.data import storing
from trainwright.data.sniffing import sniff
from trainwright.data.sources.webdataset import WebDatasetSource
from trainwright.errors import DataError


def jpeg(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 12), (value, value, value)).save(file, "PNG" if value % 2 else "JPEG")
    return file.getvalue()


def shard(path: Path, samples: dict[str, dict[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for key, members in samples.items():
            for suffix, content in members.items():
                entry = tarfile.TarInfo(f"{key}.{suffix}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return path


def samples(start: int, count: int) -> dict[str, dict[str, bytes]]:
    return {
        f"dir/{number:04d}": {
            "png" if number % 2 else "jpg": jpeg(number),
            "cls": str(number % 3).encode(),
            "json": json.dumps({"age": number / 2, "tags": ["a"]}).encode(),
        }
        for number in range(start, start + count)
    }


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    shard(tmp_path / "shards" / "train-000.tar", samples(0, 12))
    shard(tmp_path / "shards" / "train-001.tar.gz", samples(12, 8))
    shard(tmp_path / "shards" / "val-000.tar", samples(20, 6))
    return tmp_path / "shards"


def test_samples_and_columns(shards: Path) -> None:
    source = WebDatasetSource(root=str(shards))
    assert len(source) == 26
    assert source.columns == {
        "image": "image", "cls": "category", "json.age": "number", "json.tags": "categories",
    }  # fmt: skip
    assert list(source.column("cls")) == [str(number % 3) for number in range(26)]
    assert list(source.column("json.age")) == [number / 2 for number in range(26)]
    assert source.column("image")[25].read() == jpeg(25)
    assert source.sample_names()[12] == "train-001.tar.gz:dir/0012"
    assert {name: rows.tolist() for name, rows in (source.splits() or {}).items()} == {
        "train": list(range(20)),
        "val": list(range(20, 26)),
    }
    assert WebDatasetSource(root=str(shards), splits="ignore").splits() is None
    assert len(WebDatasetSource(root=str(shards / "train-*.tar"))) == 12
    assert [path.name for path in source.files()] == ["train-000.tar", "train-001.tar.gz", "val-000.tar"]


def test_init_describes_shards(shards: Path) -> None:
    guess = sniff(shards)
    assert guess.source == {"name": "webdataset", "root": str(shards)}
    assert guess.targets == {"label": {"type": "category", "column": "cls"}}
    assert guess.size == 26 and guess.training == 20


@pytest.mark.parametrize("workers", [0, 1])
def test_pictures_arrive_decoded_from_both_kinds_of_shard(
    shards: Path,
    make_data: Callable[..., Any],
    prepared: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
) -> None:
    data = make_data(
        {"name": "webdataset", "root": str(shards)},
        {"image": {"type": "image", "size": [12, 16]}},
        {"label": {"type": "category", "column": "cls"}},
    )
    monkeypatch.setattr(storing, "_IN_PROCESS", 0)
    result = prepared(data, workers=workers)
    assert np.abs(result.arrays["image"][:, 0, 0, 0].astype(int) - np.arange(26)).max() <= 1
    assert result.arrays["label"].tolist() == [number % 3 for number in range(26)]


def test_what_a_sample_lacks_is_missing(tmp_path: Path) -> None:
    made = samples(0, 4)
    del made["dir/0001"]["cls"], made["dir/0002"]["jpg"]
    made["dir/.hidden"] = {"jpg": b"x"}
    source = WebDatasetSource(root=str(shard(tmp_path / "x.tar", made)))
    assert list(source.column("cls")) == ["0", None, "2", "0"]
    with pytest.raises(KeyError):
        source.column("image")[2].read()
    assert source.notices == ["1 member is hidden and was left out"]


def test_what_is_no_data_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no tar shards"):
        WebDatasetSource(root=str(tmp_path))
    (tmp_path / "x.tar").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        WebDatasetSource(root=str(tmp_path / "x.tar"))
    bad = {"1": {"json": b"{"}}
    with pytest.raises(DataError, match="JSON cannot be read"):
        WebDatasetSource(root=str(shard(tmp_path / "y.tar", bad)))
    twice = {"1": {"jpg": b"", "png": b""}}
    with pytest.raises(DataError, match="two files for image"):
        WebDatasetSource(root=str(shard(tmp_path / "z.tar", twice)))
    both = tmp_path / "both"
    shard(both / "train.tar", {"1": {"cls": b"1"}})
    shard(both / "extra.tar", {"1": {"cls": b"1"}})
    with pytest.raises(DataError, match=r"extra\.tar belongs to no split"):
        WebDatasetSource(root=str(both)).splits()
