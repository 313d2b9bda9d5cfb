"""Boxes from files to answers: trainings that are killed, overfitted, evaluated, and asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from trainwright.cli import main
from trainwright.runs.listing import all_runs
from trainwright.workflows.verifying import verify_resume

HEADS = [
    "{name: fcos, depth: 1, reach: 3}",
    "{name: retinanet, depth: 1, sizes: [1.5, 2.5]}",
    "{name: ssd, smallest: 0.25}",
]
RECIPE = """
name: shapes
data:
  source: {name: yolo, root: %s}
  inputs: {image: {type: image, size: 48}}
  targets: {objects: {type: boxes}}
  split: {val: 0.25}
  augment: [flip]
model:
  name: pyramid
  backbone: {name: small, widths: [16, 24, 32], blocks: [1, 1, 1]}
  neck: {name: fpn, width: 32}
  heads: {objects: %s}
train:
  epochs: 6
  batch_size: 8
  optimizer: {name: adamw, lr: 5e-3}
  threads: 1
  device: cpu
  precision: fp32
  memory_format: contiguous
  checkpoint: {every_steps: 2}
report: {enabled: false}
"""


def shapes(folder: Path, count: int) -> dict[str, np.ndarray]:
    """A YOLO folder of pictures of a disc and a square, and the boxes of each picture."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "data.yaml").write_text("train: images\nnames: [disc, square]\n")
    boxes = {}
    for number in range(count):
        rng = np.random.default_rng(number)
        image = Image.new("RGB", (48, 48), (40, 40, 40))
        draw = ImageDraw.Draw(image)
        corner = np.stack([rng.integers(1, 8, 2), rng.integers(24, 30, 2)])
        side = rng.integers(10, 17, (2, 1))
        boxes[f"{number}.png"] = placed = np.concatenate([corner, corner + side], 1)
        draw.ellipse((*placed[0, :2], *placed[0, 2:] - 1), fill="red")
        draw.rectangle((*placed[1, :2], *placed[1, 2:] - 1), fill="cyan")
        image.save(folder / "images" / f"{number}.png")
        lines = [
            f"{name} {(a + c) / 96:.6f} {(b + d) / 96:.6f} {(c - a) / 48:.6f} {(d - b) / 48:.6f}"
            for name, (a, b, c, d) in enumerate(placed)
        ]
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))
    return boxes


@pytest.mark.parametrize("head", HEADS)
def test_a_kill_in_mid_epoch_changes_no_bit(tmp_path, monkeypatch, head):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shapes(tmp_path / "data", 40)
    recipe = tmp_path / "shapes.yaml"
    recipe.write_text(RECIPE % (tmp_path / "data", head))
    found = verify_resume(str(recipe), ["train.epochs=10"], tmp_path / "runs", kills=1)
    assert len(found.kills) == 1
    assert found.differences == []


@pytest.mark.parametrize("head", HEADS)
def test_boxes_of_pictures_are_learned_and_answered_in_their_pixels(tmp_path, monkeypatch, capsys, head):
    monkeypatch.chdir(tmp_path)
    true = shapes(tmp_path / "data", 8)
    recipe = tmp_path / "shapes.yaml"
    recipe.write_text(RECIPE % (tmp_path / "data", head))
    given = ["data.augment=[]", "data.split={}", "train.epochs=80", "train.checkpoint=null"]
    assert main(["train", str(recipe), *given, "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    capsys.readouterr()
    assert main(["evaluate", str(run.path), "--split", "train", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)[str(run.path)]
    assert scores["map50"] > 0.95
    assert scores["unowned"] == 0
    Image.open(tmp_path / "data" / "images" / "0.png").resize((96, 96)).save("large.png")
    assert main(["predict", str(run.path), "large.png", "--format", "jsonl"]) == 0
    answers = json.loads(capsys.readouterr().out)["objects_predicted"]
    for name, box in zip(("disc", "square"), true["0.png"], strict=True):
        best = max((one for one in answers if one["class"] == name), key=lambda one: one["score"])
        # Of the picture that was given, which is twice as large as those of training.
        np.testing.assert_allclose(best["box"], box * 2, atol=8)
