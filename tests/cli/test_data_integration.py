"""The verb `data`, as a person types it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path, make_photos):
    return make_photos(tmp_path / "photos", each=10, size=20)


def test_check_of_good_data_leaves_with_0(command, photos):
    answer = command("data", "check", str(photos))
    assert answer.code == 0
    assert "checked    train 20" in answer.out


def test_check_of_bad_data_leaves_with_1_in_a_table_json_and_a_page(command, photos, tmp_path):
    (photos / "dog" / "2.png").write_bytes(b"")
    page = tmp_path / "page.html"
    answer = command("data", "check", str(photos), "--html", str(page))
    assert answer.code == 1
    assert "dog/2.png: the file is empty (0 bytes)" in answer.out
    assert "dog/2.png" in page.read_text()
    answer = command("data", "check", str(photos), "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["counts"]["error"] == 1


def test_check_fix_check_ends_clean(command, photos, tmp_path):
    (photos / "dog" / "2.png").write_bytes(b"")
    out = tmp_path / "fixed"
    assert command("data", "fix", str(photos), "-o", str(out)).code == 0
    answer = command("data", "check", str(out / "recipe.yaml"))
    assert answer.code == 0
    assert "1 sample is left out by fixes.jsonl" in answer.out


def test_show_draws_the_samples_asked_for(command, photos, tmp_path):
    out = tmp_path / "grid.png"
    answer = command("data", "show", str(photos), "--count", "4", "-o", str(out))
    assert answer.code == 0
    assert "4 samples of train" in answer.out
    assert Image.open(out).width > 4 * 200


def test_show_of_an_unknown_split_names_those_there_are(command, photos):
    answer = command("data", "show", str(photos), "--split", "tain")
    assert answer.code == 2
    assert "did you mean 'train'?" in answer.err


def test_stats_are_those_of_numpy(command, tmp_path):
    values = np.random.default_rng(0).normal(3, 2, 60)
    lines = ["a,y", *(f"{value:.9g},{place % 2}" for place, value in enumerate(values))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    answer = command("data", "stats", str(tmp_path / "t.csv"), "--json")
    found = json.loads(answer.out)["columns"]
    numbers = next(about for about in found.values() if about["type"] == "number")
    (about,) = numbers["values"].values()
    assert about["mean"] == pytest.approx(values.mean())
    assert about["std"] == pytest.approx(values.std())
    assert about["q25"] == pytest.approx(np.quantile(values, 0.25))
    assert (about["count"], about["missing"]) == (60, 0)
    text = command("data", "stats", str(tmp_path / "t.csv")).out
    assert f"{values.max():.4g}" in text


def test_data_only_prints_every_split_without_a_model(command, photos, tmp_path):
    command("init", str(photos), "-o", str(tmp_path / "recipe.yaml"))
    answer = command("train", str(tmp_path / "recipe.yaml"), "--data-only", "--quiet")
    assert answer.code == 0
    assert "samples per second" in answer.out
    assert not (tmp_path / "runs").exists()
