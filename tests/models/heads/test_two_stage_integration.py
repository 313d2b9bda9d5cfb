"""Boxes, masks and points of several objects from files to answers: killed, overfitted, evaluated, asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from tests.metrics.detection.test_mask_map import KEYS, coco_numbers
from trainwright import recipe as recipes
from trainwright.cli import main
from trainwright.data.run_lengths import from_text, to_mask
from trainwright.data.stream_store import store_of
from trainwright.inference.predictor import Predictor
from trainwright.progress import NoProgress
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import all_runs
from trainwright.workflows.training import load_data
from trainwright.workflows.verifying import verify_resume

SMALL = "hidden: [32], proposals: 24, samples: 16, detections: 20"
HEADS = {
    "boxes": f"{{name: faster_rcnn, {SMALL}, positive_share: 0.5}}",
    "instances": f"{{name: mask_rcnn, {SMALL}, positive_share: 0.5, mask_depth: 1}}",
    "keypoints": f"{{name: keypoint_rcnn, {SMALL}, positive_share: 0.5, point_depth: 1}}",
}
RECIPE = """
name: shapes
data:
  source: {name: yolo, root: %s}
  inputs: {image: {type: image, size: 48}}
  targets: {objects: {type: %s, metrics: %s}}
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
METRICS = {"boxes": "[map]", "instances": "[map]", "keypoints": "[pck, {name: keypoint_map, sigmas: 0.1}]"}


def shapes(folder: Path, kind: str, count: int) -> dict[str, np.ndarray]:
    """A YOLO folder of pictures of a wedge and a square, and the boxes of each picture.

    Outlines are the three or four corners; points are the first corner and the last.
    """
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    points = "kpt_shape: [2, 3]\n" if kind == "keypoints" else ""
    (folder / "data.yaml").write_text(f"train: images\nnames: [wedge, square]\n{points}")
    boxes = {}
    for number in range(count):
        rng = np.random.default_rng(number)
        image = Image.new("RGB", (48, 48), (40, 40, 40))
        draw = ImageDraw.Draw(image)
        corner = np.stack([rng.integers(1, 8, 2), rng.integers(24, 30, 2)])
        boxes[f"{number}.png"] = placed = np.concatenate([corner, corner + rng.integers(10, 17, (2, 1))], 1)
        lines = []
        for name, (a, b, c, d) in enumerate(placed.tolist()):
            outline = [(a, b), (c, d), (a, d)] if name == 0 else [(a, b), (c, b), (c, d), (a, d)]
            draw.polygon([(x - (x == c), y - (y == d)) for x, y in outline], fill=("red", "cyan")[name])
            if kind == "instances":
                numbers = [value / 48 for corner in outline for value in corner]
            else:
                numbers = [(a + c) / 96, (b + d) / 96, (c - a) / 48, (d - b) / 48]
                if kind == "keypoints":
                    numbers += [value for x, y in (outline[0], outline[-1]) for value in (x / 48, y / 48, 2)]
            lines.append(f"{name} " + " ".join(f"{value:.6f}" for value in numbers))
        image.save(folder / "images" / f"{number}.png")
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))
    return boxes


@pytest.fixture(params=list(HEADS))
def kind(request):
    if request.param == "instances":
        pytest.importorskip("pycocotools")
    return request.param


def recipe_of(kind: str, folder: Path) -> Path:
    recipe = folder / "shapes.yaml"
    recipe.write_text(RECIPE % (folder / "data", kind, METRICS[kind], HEADS[kind]))
    return recipe


def scored_by_coco(run: Path) -> dict[str, float]:
    """What pycocotools makes of the masks that the model finds in the pictures it learned from."""
    predictor = Predictor.load(run)
    fitted = {**predictor.inputs, **predictor.targets}
    data = load_data(recipes.load(RunDirectory.open(run).resolved), NoProgress(), fitted=fitted)
    rows = data.splits["train"]
    found = predictor.run(store_of(data, predictor.runtime.device), rows, with_targets=False)
    answer = found.outputs["objects"]
    stored = torch.from_numpy(np.array(data.arrays["objects"])[rows])
    return coco_numbers(answer, data.targets["objects"].to_tensor(stored), (48, 48))


def test_a_kill_in_mid_epoch_changes_no_bit(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shapes(tmp_path / "data", kind, 24)
    found = verify_resume(str(recipe_of(kind, tmp_path)), ["train.epochs=8"], tmp_path / "runs", kills=1)
    assert len(found.kills) == 1
    assert found.differences == []


def test_objects_are_learned_and_answered_in_the_pixels_of_their_picture(tmp_path, monkeypatch, capsys, kind):
    monkeypatch.chdir(tmp_path)
    true = shapes(tmp_path / "data", kind, 8)
    given = ["data.augment=[]", "data.split={}", "train.epochs=60", "train.checkpoint=null"]
    assert main(["train", str(recipe_of(kind, tmp_path)), *given, "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    capsys.readouterr()
    assert main(["evaluate", str(run.path), "--split", "train", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)[str(run.path)]
    assert scores["map50"] > 0.9
    if kind == "instances":
        # No object of this size: JSON has null for NaN.
        told = {key: np.nan if scores[key] is None else scores[key] for key in KEYS}
        assert scored_by_coco(run.path) == pytest.approx(told, abs=1e-6, nan_ok=True)
    Image.open(tmp_path / "data" / "images" / "0.png").resize((96, 96)).save("7.png")
    asked = ["predict", str(run.path), "7.png", "--format", "coco", "--draw", "drawn"]
    assert main(asked) == 0
    answers = json.loads(capsys.readouterr().out)
    for name, box in zip(("wedge", "square"), true["0.png"] * 2, strict=True):
        # Of the picture that was given, which is twice as large as those of training.
        best = max((one for one in answers if one["category"] == name), key=lambda one: one["score"])
        left, top, width, height = best["bbox"]
        np.testing.assert_allclose([left, top, left + width, top + height], box, atol=8)
        assert (best["image_id"], best["file_name"]) == (1, "7.png")
        if kind == "instances":
            assert best["segmentation"]["size"] == [96, 96]
            mask = to_mask(from_text(best["segmentation"]["counts"], (96, 96)))
            inside = np.zeros((96, 96), bool)
            inside[box[1] : box[3], box[0] : box[2]] = True
            share = (mask & inside).sum() / inside.sum()
            assert share == pytest.approx(0.5 if name == "wedge" else 1.0, abs=0.15)
        elif kind == "keypoints":
            points = np.reshape(best["keypoints"], (2, 3))
            np.testing.assert_allclose(points[:, :2], [box[:2], box[[0, 3]]], atol=8)
    drawn = np.asarray(Image.open("drawn/7.png")).astype(int)
    given_pixels = np.asarray(Image.open("7.png")).astype(int)
    assert drawn.shape == given_pixels.shape and np.abs(drawn - given_pixels).max() > 50
