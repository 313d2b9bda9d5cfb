"""`init` writes a recipe that passes `check`, trains as it stands, and reads its data as a person would."""

from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

TINY = ["train.epochs=null", "train.steps=2", "train.threads=1", "train.precision=fp32", "data.workers=0"]
RNG = np.random.default_rng(3)


def idx_bytes(values: np.ndarray) -> bytes:
    """The IDX format: two zeros, type 8 (uint8), rank, sizes as big-endian int32, values; gzipped."""
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes()
    return gzip.compress(head + values.astype(np.uint8).tobytes())


def idx_folder(folder: Path) -> Path:
    folder.mkdir()
    for name, count in (("train", 60), ("t10k", 20)):
        images = RNG.integers(0, 255, (count, 10, 12))
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx_bytes(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx_bytes(np.arange(count) % 10))
    return folder


def flowers(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "petal length", "colour", "species"])
        for row in range(60):
            writer.writerow([row, round(RNG.normal(), 3), ("red", "blue")[row % 2], ("a", "b", "c")[row % 3]])
    return path


def houses(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "rooms", "town", "price"])
        for row in range(60):
            rooms = "" if row == 5 else row % 5 + 1
            writer.writerow(
                [round(RNG.uniform(20, 200), 1), rooms, "xy"[row % 2], round(RNG.uniform(1e5, 9e5), 2)]
            )
    return path


def arrays(path: Path) -> Path:
    parts = {"x_train": RNG.normal(size=(50, 5)), "y_train": np.arange(50) % 3}
    np.savez(path, x_test=RNG.normal(size=(20, 5)), y_test=np.arange(20) % 3, **parts)
    return path


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, Path("pets") / file.relative_to(folder))
    return path


# What the data are -> (how they are made, inputs and targets by type, splits, what to predict from).
DATA = {
    "folder": (lambda root, photos: photos, {"image": "image"}, {"label": "category"}, 16, "cat/0.png"),
    "zip": (
        lambda root, photos: zipped(photos, root / "pets.zip"),
        {"image": "image"},
        {"label": "category"},
        16,
        None,
    ),
    "classification": (
        lambda root, photos: flowers(root / "flowers.csv"),
        {"features": "number", "colour": "category"},
        {"species": "category"},
        60,
        "",
    ),
    "regression": (
        lambda root, photos: houses(root / "houses.csv"),
        {"features": "number", "town": "category"},
        {"price": "number"},
        60,
        "",
    ),
    "idx": (
        lambda root, photos: idx_folder(root / "idx"),
        {"image": "image"},
        {"label": "category"},
        80,
        None,
    ),
    "npz": (lambda root, photos: arrays(root / "table.npz"), {"x": "number"}, {"y": "category"}, 70, None),
}


@pytest.mark.parametrize("kind", DATA)
def test_the_recipe_passes_check_and_trains(kind, tmp_path, make_photos, command, monkeypatch):
    make, inputs, targets, samples, example = DATA[kind]
    monkeypatch.chdir(tmp_path)
    data = make(tmp_path, make_photos(tmp_path / "photos"))
    assert command("init", str(data), "-o", "own.yaml", "--name", "own").code == 0
    text = Path("own.yaml").read_text()
    assert text.startswith("# trainwright train own.yaml\n")
    recipe = yaml.safe_load(text)
    assert {name: column["type"] for name, column in recipe["data"]["inputs"].items()} == inputs
    assert {name: column["type"] for name, column in recipe["data"]["targets"].items()} == targets
    assert f"{samples} samples" in recipe["description"]

    checked = command("check", "own.yaml")
    assert checked.code == 0, checked.err
    assert "everything that can be checked before the first step is in order" in checked.out
    sizes = dict(part.split() for part in checked.out.splitlines()[0].removeprefix("data: ").split(", "))
    assert set(sizes) == {"train", "val", "test"} and sum(map(int, sizes.values())) == samples

    trained = command("train", "own.yaml", *TINY, "--quiet")
    assert trained.code == 0, trained.err
    if example is not None:
        answered = command("predict", "own", str(data / example if example else data))
        rows = list(csv.DictReader(answered.out.splitlines()))
        assert answered.code == 0 and len(rows) == (1 if example else samples)
        assert all(row[f"{next(iter(targets))}_predicted"] for row in rows)


def test_a_recipe_is_never_overwritten(tmp_path, make_photos, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path / "photos")
    Path("photos.yaml").write_text("mine")
    answer = command("init", "photos")
    assert answer.code == 2 and "is not overwritten" in answer.err
    assert Path("photos.yaml").read_text() == "mine"
    assert command("init", "photos", "-o", "-").out.startswith("# trainwright train photos.yaml")


@pytest.mark.parametrize("name", ["nothing", "notes.docx", "empty"])
def test_what_cannot_be_read_is_said(name, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.docx").write_text("hello")
    (tmp_path / "empty").mkdir()
    answer = command("init", name)
    assert answer.code == 2 and name in answer.err and "Traceback" not in answer.err
    assert list(tmp_path.glob("*.yaml")) == []
