"""Keypoints from files to answers: trainings that are killed, overfitted, and evaluated."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from trainwright.cli import main
from trainwright.runs.listing import all_runs
from trainwright.workflows.verifying import verify_resume

RECIPE = """
name: crosses
data:
  source: {name: landmarks, path: %s/points.csv, label: cross, points: [left, right, low]}
  inputs: {image: {type: image, size: 32}}
  targets: {objects: {type: keypoints}}
  split: {val: 0.25}
  augment: [{name: affine, degrees: 8, shift: 0.05, scale: [0.9, 1.1]}, flip]
model:
  name: pyramid
  backbone: {name: small, widths: [8, 16], blocks: [1, 1]}
  neck: {name: fpn, width: 8}
  heads: {objects: %s}
train:
  epochs: 6
  batch_size: 8
  optimizer: {name: adamw, lr: 3e-3}
  threads: 1
  device: cpu
  precision: fp32
  memory_format: contiguous
  checkpoint: {every_steps: 2}
report: {enabled: false}
"""


def crosses(folder: Path, count: int) -> Path:
    """Pictures of three coloured dots, and a table with their places."""
    folder.mkdir()
    with (folder / "points.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", "x0", "y0", "x1", "y1", "x2", "y2"])
        for number in range(count):
            rng = np.random.default_rng(number)
            places = rng.uniform(-4, 4, (3, 2)) + np.array([[10, 12], [22, 12], [16, 24]])
            image = Image.new("RGB", (32, 32), (30, 30, 30))
            draw = ImageDraw.Draw(image)
            for (x, y), colour in zip(places, ("red", "lime", "blue"), strict=True):
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
            image.save(folder / f"{number}.png")
            table.writerow([f"{number}.png", *places.round(2).reshape(-1).tolist()])
    return folder


@pytest.mark.parametrize("head", ["{name: heatmaps, width: 8}", "{name: point_regression, hidden: [16]}"])
def test_a_kill_in_mid_epoch_changes_no_bit(tmp_path, monkeypatch, head):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    recipe = tmp_path / "crosses.yaml"
    recipe.write_text(RECIPE % (crosses(tmp_path / "data", 40), head))
    found = verify_resume(str(recipe), ["train.epochs=10"], tmp_path / "runs", kills=1)
    assert len(found.kills) == 1
    assert found.differences == []


def test_points_of_pictures_are_learned_and_answered_in_their_pixels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "crosses.yaml"
    data = crosses(tmp_path / "data", 8)
    recipe.write_text(RECIPE % (data, "{name: heatmaps, width: 16}"))
    given = ["data.augment=[]", "data.split={}", "train.epochs=60", "train.checkpoint=null"]
    assert main(["train", str(recipe), *given, "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    capsys.readouterr()
    assert main(["evaluate", str(run.path), "--split", "train", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)[str(run.path)]
    assert scores["pck"] > 0.95
    Image.open(data / "0.png").resize((64, 64)).save("large.png")
    assert main(["predict", str(run.path), "large.png", "--format", "jsonl"]) == 0
    [cross] = json.loads(capsys.readouterr().out)["objects_predicted"]
    with (data / "points.csv").open(newline="") as file:
        true = np.array([float(value) for value in list(csv.reader(file))[1][1:]]).reshape(3, 2)
    points = np.array(cross["points"])
    assert cross["class"] == "cross" and 0 < cross["score"] <= 1
    # Of the picture that was given, which is twice as large as those of training.
    np.testing.assert_allclose(points[:, :2], true * 2, atol=4)
    corners = [*points[:, :2].min(axis=0), *points[:, :2].max(axis=0)]
    np.testing.assert_allclose(cross["box"], corners, atol=0.01)
