"""init: a recipe for a real folder and table, never over an existing file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainwright import recipe


@pytest.fixture
def photos(tmp_path, monkeypatch):
    for name in ("cat", "dog"):
        (tmp_path / "my photos" / name).mkdir(parents=True)
        for number in range(8):
            pixels = np.full((40, 50, 3), number * 20, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "my photos" / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folder(photos, command):
    answer = command("init", "my photos")
    assert answer.code == 0, answer.err
    assert "trainwright train my-photos.yaml" in answer.out
    loaded = recipe.load(photos / "my-photos.yaml").recipe
    assert loaded.name == "my-photos" and loaded.data.source["root"] == str(photos / "my photos")
    before = (photos / "my-photos.yaml").read_text()
    again = command("init", "my photos")
    assert again.code == 2 and "not overwritten" in again.err
    assert (photos / "my-photos.yaml").read_text() == before


def test_table_to_stdout(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n},{n * 0.5},{'a' if n % 2 else 'b'}\n" for n in range(40))
    (tmp_path / "t.csv").write_text("width,height,kind\n" + rows)
    answer = command("init", "t.csv", "-o", "-", "--name", "mine")
    assert answer.code == 0, answer.err
    assert "name: mine\n" in answer.out and "kind: {type: category}" in answer.out
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_missing_data(command, tmp_path):
    answer = command("init", str(tmp_path / "no"))
    assert answer.code == 2 and "no such data" in answer.err
