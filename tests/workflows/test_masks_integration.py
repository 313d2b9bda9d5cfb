"""From pictures with masks to class maps of other pictures, through the command line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

import trainwright as tw
from trainwright.cli import main
from trainwright.inference.predictions import read_predictions

BRIGHT, DARK = 4, 9  # ids in the mask files


def picture(rng, height, width):
    """A dark picture with a bright block, and its mask, whose first row is void."""
    pixels = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    ids = np.full((height, width), DARK, dtype=np.uint8)
    top, left = rng.integers(2, height // 2), rng.integers(0, width // 2)
    block = (slice(top, top + height // 3), slice(left, left + width // 2))
    pixels[block] += 150
    ids[block] = BRIGHT
    ids[0] = 255
    return Image.fromarray(pixels), Image.fromarray(ids)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("blocks")
    rng = np.random.default_rng(3)
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    for number in range(20):
        for folder, image in zip(("images", "masks"), picture(rng, 24, 32), strict=True):
            image.save(root / folder / f"{number}.png")
    recipe = {
        "name": "blocks",
        "data": {
            "source": {"name": "masks", "root": str(root)},
            "inputs": {"image": {"type": "image", "size": [24, 32]}},
            "targets": {
                "mask": {"type": "mask", "classes": ["bright", "dark"], "ids": [BRIGHT, DARK], "loss": "dice"}
            },
            "split": {"val": 0.2, "test": 0.2},
            "augment": ["flip"],
        },
        "model": {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [8, 8], "blocks": [1, 1]},
            "neck": {"name": "fpn", "width": 8},
            "heads": {"mask": {"name": "dense", "width": 8}},
        },
        "train": {"epochs": 15, "batch_size": 4, "threads": 1, "optimizer": {"name": "adamw", "lr": 0.02}},
    }
    recipe["train"] |= {"device": "cpu", "precision": "fp32"}
    return tw.train(recipe, runs_dir=root / "runs", progress=False)


def test_masks_are_learned_and_scored(run):
    scores = json.loads((run.directory.evaluation("test") / "metrics.json").read_text())
    assert scores["miou"] > 0.8
    assert set(scores) >= {"iou.bright", "iou.dark", "dice", "pixel_accuracy", "boundary_f"}
    kept = read_predictions(run.directory.evaluation("test") / "predictions.parquet")
    assert kept["mask_shares"].shape == (4, 2)
    assert (kept["mask_miou"] > 0.5).all()
    assert kept["mask_shares"].sum(1) == pytest.approx(np.ones(4))


def test_the_report_shows_truth_and_answer_over_the_worst_pictures(run):
    told = json.loads((run.path / "report.json").read_text())["splits"]["test"]
    assert told["targets"]["mask"]["miou"] == pytest.approx(told["metrics"]["miou"])
    assert told["targets"]["mask"]["pixels"] == 4 * 23 * 32  # without the void rows
    files = list((run.directory.evaluation("test") / "pictures" / "mask").iterdir())
    assert len(files) == 4 and np.asarray(Image.open(files[0])).shape == (24, 32)
    page = (run.path / "report.html").read_text()
    assert "its true classes over it" in page and page.count("data:image/jpeg") >= 4


def test_class_maps_have_the_size_and_the_ids_of_the_users_own_files(run, tmp_path, capsys):
    photo, truth = picture(np.random.default_rng(8), 60, 90)
    photo.save(tmp_path / "street.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    out, drawn = tmp_path / "masks", tmp_path / "drawn"
    files = [str(tmp_path / "broken.png"), str(tmp_path / "street.png")]
    arguments = ["--pictures", str(out), "--draw", str(drawn), "--on-bad", "skip"]
    assert main(["predict", str(run.path), *files, *arguments]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [path.name for path in out.glob("*.png")] == ["street.png"]
    assert [row["mask_picture"] for row in rows] == ["", str(out / "street.png")]
    assert [row["drawn"] for row in rows] == ["", str(drawn / "street.png")]
    found = np.asarray(Image.open(out / "street.png"))
    assert found.shape == (60, 90)
    assert set(np.unique(found)) <= {BRIGHT, DARK}
    known = np.asarray(truth) != 255
    assert (found == np.asarray(truth))[known].mean() > 0.85
    assert float(rows[1]["mask_shares.bright"]) == pytest.approx((found == BRIGHT).mean())
    assert rows[0]["mask_shares.bright"] == ""
    overlay = np.asarray(Image.open(drawn / "street.png"))
    assert overlay.shape == (60, 90, 3)
    assert (overlay != np.asarray(photo)).any(axis=2).all()


def test_json_names_the_classes(run, tmp_path, capsys):
    picture(np.random.default_rng(8), 24, 32)[0].save(tmp_path / "a.png")
    assert main(["predict", str(run.path), str(tmp_path / "a.png"), "--format", "json"]) == 0
    [record] = json.loads(capsys.readouterr().out)
    assert set(record["mask_shares"]) == {"bright", "dark"}


def test_a_run_without_pictures_has_none_to_write(tmp_path, capsys):
    made = tw.train(
        "iris",
        {"train.epochs": 1, "train.threads": 1, "train.precision": "fp32", "report.enabled": False},
        runs_dir=tmp_path / "runs",
        progress=False,
    )
    table = tmp_path / "rows.csv"
    table.write_text("sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n")
    assert main(["predict", str(made.path), str(table), "--pictures", str(tmp_path / "out")]) != 0
    assert "gives no answer that is a picture" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
