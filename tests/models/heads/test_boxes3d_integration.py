"""Boxes in space from files to answers: a training that is killed, overfitted, reported and asked."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainwright.cli import main
from trainwright.runs.listing import all_runs
from trainwright.workflows.verifying import verify_resume

ROOT = Path(__file__).resolve().parents[3]

RECIPE = """
name: plain
data:
  source: {name: kitti, root: %s}
  inputs: {image: {type: image, size: [48, 96]}}
  targets: {objects: {type: boxes3d}}
  split: {val: 0.25}
  augment: [{name: affine, degrees: 5, shift: 0.05, scale: [0.9, 1.1]}, flip]
model:
  name: pyramid
  backbone: {name: small, widths: [16, 32], blocks: [1, 1]}
  neck: {name: fpn, width: 16}
  heads: {objects: {name: fcos3d, detector: {name: fcos, depth: 1, reach: 8}}}
train:
  epochs: 6
  batch_size: 4
  optimizer: {name: adamw, lr: 5e-3}
  threads: 1
  device: cpu
  precision: fp32
  memory_format: contiguous
  checkpoint: {every_steps: 2}
report: {enabled: false}
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    make = runpy.run_path(str(ROOT / "examples" / "boxes_in_space" / "make_pictures.py"))["make"]
    make(folder, {"training": 12}, 0)
    return folder


def test_a_kill_in_mid_epoch_changes_no_bit(plain, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    recipe = tmp_path / "plain.yaml"
    recipe.write_text(RECIPE % plain)
    found = verify_resume(str(recipe), ["train.epochs=8"], tmp_path / "runs", kills=1)
    assert len(found.kills) == 1
    assert found.differences == []


def test_boxes_are_learned_told_in_metres_drawn_and_reported(plain, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("plain.yaml").write_text(RECIPE % plain)
    given = [
        "data.augment=[]",
        "data.split={}",
        "train.epochs=60",
        "train.batch_size=12",
        "train.checkpoint=null",
    ]
    assert main(["train", "plain.yaml", *given, "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    capsys.readouterr()
    assert main(["evaluate", str(run.path), "--split", "train", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)[str(run.path)]
    assert scores["map_distance"] > 0.5 and scores["depth_error"] < 0.1
    Image.open(plain / "training/image_2/000000.png").resize((384, 192)).save("large.png")
    Path("drawn").mkdir()
    asked = ["predict", str(run.path), "large.png", "--format", "jsonl", "--draw", "drawn"]
    assert main(asked) == 0
    [first, *_] = json.loads(capsys.readouterr().out)["objects_predicted"]
    words = (plain / "training/label_2/000000.txt").read_text().splitlines()
    true = np.array([[float(word) for word in line.split()[8:15]] for line in words])
    near = true[np.abs(true[:, 3:6] - first["box3d"]["centre"]).sum(axis=1).argmin()]
    # KITTI tells the bottom's centre.
    wanted = near[3:6] - [0, near[0] / 2, 0]
    np.testing.assert_allclose(first["box3d"]["centre"], wanted, atol=0.12 * wanted[2])
    # The corners, in pixels of the picture that was given, are as wide as the box.
    corners = np.array(first["corners"])
    assert corners.shape == (8, 3)
    span = corners[:, :2].max(axis=0) - corners[:, :2].min(axis=0)
    box = np.array(first["box"])
    np.testing.assert_allclose(span, box[2:] - box[:2], atol=0.35 * (box[2:] - box[:2]).max())
    assert np.asarray(Image.open("drawn/large.png")).shape == (192, 384, 3)
    assert main(["report", str(run.path)]) == 0, capsys.readouterr().err
    found = json.loads((run.path / "report.json").read_text())["splits"]["train"]["targets"]["objects"]
    assert found["overlap_of"] == "volumes" and found["objects"] == len(
        [line for file in (plain / "training/label_2").iterdir() for line in file.read_text().splitlines()]
    )
    assert "an overlap of the volumes" in run.report.read_text()
