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


def test_a_fixed_recipe_is_read_from_anywhere(command, photos, tmp_path, monkeypatch):
    (photos / "dog" / "2.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert command("data", "fix", str(photos), "-o", "fixed").code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    answer = command("data", "check", str(tmp_path / "fixed" / "recipe.yaml"))
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


@pytest.mark.parametrize(
    ("words", "where"),
    [(["--count", "0"], "--count"), (["--count", "-3"], "--count"), (["-o", "x.txt"], "--output")],
)
def test_show_refuses_what_cannot_be_drawn(command, photos, words, where):
    answer = command("data", "show", str(photos), *words)
    assert answer.code == 2
    assert where in answer.err


def test_show_draws_a_pair_side_by_side(command, photos, tmp_path):
    for kind in ("blurred", "sharp"):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        for place in range(10):
            picture = np.full((20, 20, 3), 250 if kind == "sharp" else 10, dtype=np.uint8)
            Image.fromarray(picture + np.uint8(place % 4)).save(tmp_path / "pairs" / kind / f"{place}.png")
    recipe, out = tmp_path / "pairs.yaml", tmp_path / "grid.png"
    assert command("init", str(tmp_path / "pairs"), "-o", str(recipe)).code == 0
    assert command("data", "show", str(recipe), "--count", "1", "-o", str(out)).code == 0
    drawn = np.asarray(Image.open(out).convert("L"))
    assert drawn[100, 100] < 20 and 245 < drawn[100, 320] < 255


def test_init_of_pictures_without_labels_leads_to_the_data(command, shared_data, tmp_path):
    recipe = tmp_path / "plain.yaml"
    said = command("init", str(shared_data / "imagenet_samples"), "-o", str(recipe)).out
    assert f"trainwright data check {recipe}" in said
    assert f"trainwright train {recipe} --data-only" in said
    refused = [command(verb, str(recipe)) for verb in ("check", "train")]
    assert [answer.code for answer in refused] == [2, 2]
    assert refused[0].err == refused[1].err and "`targets` is missing" in refused[0].err


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
