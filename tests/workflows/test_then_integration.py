"""Detect, then classify the objects: two runs in sequence, through the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import trainwright as tw
from trainwright.cli import main

TRAIN = {"threads": 1, "device": "cpu", "precision": "fp32", "batch_size": 4}
COLOURS = {"red": (220, 40, 40), "blue": (40, 40, 220)}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Pictures of 48 x 64 with two blocks, one of each colour."""
    root = tmp_path_factory.mktemp("blocks")
    for part in ("images", "labels"):
        (root / part).mkdir()
    rng = np.random.default_rng(0)
    for number in range(16):
        pixels = rng.integers(90, 130, (48, 64, 3), dtype=np.uint8)
        lines = []
        for place, colour in enumerate(COLOURS.values()):
            left, top = 32 * place + rng.integers(2, 14), rng.integers(2, 30)
            block = rng.integers(-30, 30, (14, 16, 3)) + colour
            pixels[top : top + 14, left : left + 16] = block
            lines.append(f"{place} {(left + 8) / 64} {(top + 7) / 48} {16 / 64} {14 / 48}")
        Image.fromarray(pixels).save(root / "images" / f"{number}.png")
        (root / "labels" / f"{number}.txt").write_text("\n".join(lines) + "\n")
    (root / "data.yaml").write_text(f"train: images\nnames: [{', '.join(COLOURS)}]\n")
    return root


@pytest.fixture(scope="module")
def runs(scenes, tmp_path_factory):
    """A detector that has hardly begun, and a classifier of what is cut out."""
    folder = tmp_path_factory.mktemp("runs")
    yolo = {"name": "yolo", "root": str(scenes)}
    detector = {
        "name": "detector",
        "data": {
            "source": yolo,
            "inputs": {"image": {"type": "image", "size": [48, 64]}},
            "targets": {"objects": {"type": "boxes"}},
            "split": {"val": 0.25},
        },
        "model": {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [8, 8], "blocks": [1, 1]},
            "neck": {"name": "fpn", "width": 8},
            "heads": {"objects": {"name": "fcos", "depth": 1, "detections": 5}},
        },
        "train": {"steps": 3, **TRAIN},
        "report": {"enabled": False},
    }
    classifier = {
        "name": "classifier",
        "data": {
            "source": {"name": "crops", "of": yolo, "margin": 0.0},
            "inputs": {"image": {"type": "image", "size": [12, 12]}},
            "targets": {"label": {"type": "category"}},
            "split": {"val": 0.25, "group": "picture"},
        },
        "model": {"name": "mlp", "hidden": [8]},
        "train": {"epochs": 10, "optimizer": {"name": "adamw", "lr": 0.01}, **TRAIN},
        "report": {"enabled": False},
    }
    return [tw.train(recipe, runs_dir=folder, progress=False) for recipe in (detector, classifier)]


def test_objects_that_are_cut_out_are_learned_apart_from_their_pictures(runs):
    _, classifier = runs
    assert classifier.evaluate("val")["accuracy"] == 1


def test_every_found_object_is_asked_about(runs, scenes, capsys):
    detector, classifier = runs
    file = scenes / "images" / "3.png"
    asked = ["--then", str(classifier.path), "--min-score", "0", "--format", "json"]
    assert main(["predict", str(detector.path), str(file), *asked]) == 0
    told = capsys.readouterr()
    [record] = json.loads(told.out)
    found = record["objects_predicted"]
    answered = [item for item in found if "then" in item]
    assert answered and f"{len(answered)} found object" in told.err
    pixels = np.asarray(Image.open(file))
    for item in answered:
        left, top, right, bottom = (round(value) for value in item["box"])
        window = pixels[max(top, 0) : bottom, max(left, 0) : right]
        by_hand = classifier.predict([window]).records()[0]
        assert item["then"]["label_predicted"] == by_hand["label_predicted"]
        assert item["then"]["label_probability"] == pytest.approx(by_hand["label_probability"], abs=1e-5)


def test_only_objects_can_be_gone_on_with(runs, scenes, capsys):
    detector, classifier = runs
    file = str(scenes / "images" / "3.png")
    assert main(["predict", str(classifier.path), file, "--then", str(detector.path)]) == 2
    assert "finds no objects" in capsys.readouterr().err
