"""From pairs of pictures to restored ones of any size, through the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import trainwright as tw
from trainwright.cli import main
from trainwright.inference.predictions import read_predictions

MODELS = {
    "dncnn": {"name": "dncnn", "width": 8, "depth": 3},
    "pyramid": {
        "name": "pyramid",
        "backbone": {"name": "small", "widths": [8, 8], "blocks": [1, 1]},
        "neck": {"name": "fpn", "width": 8},
        "heads": {"target": {"name": "restore", "width": 8, "detail": 8}},
    },
}


def scene(seed, height, width):
    """Smooth stripes."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width]
    phase = down * rng.uniform(0.05, 0.2) + across * rng.uniform(0.05, 0.2)
    return np.uint8(127 + 100 * np.sin(phase))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("scenes")
    for number in range(20):
        Image.fromarray(scene(number, 24, 40)).save(root / f"{number}.png")
    return root


@pytest.fixture(scope="module", params=list(MODELS))
def run(request, pictures, tmp_path_factory):
    image = {"type": "image", "mode": "gray", "normalise": "unit"}
    recipe = {
        "name": request.param,
        "data": {
            "source": {"name": "degraded", "root": str(pictures), "noise": 40},
            "inputs": {"input": image},
            "targets": {"target": image},
            "split": {"val": 0.2, "test": 0.2},
            "augment": [{"name": "random_crop", "size": [16, 16], "padding": 0}, "flip"],
        },
        "model": MODELS[request.param],
        "train": {"epochs": 60, "batch_size": 4, "threads": 1, "optimizer": {"name": "adamw", "lr": 0.01}},
    }
    recipe["train"] |= {"device": "cpu", "precision": "fp32", "evaluate_every": 30}
    return tw.train(recipe, runs_dir=tmp_path_factory.mktemp("runs"), progress=False)


def decibels(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


def noisy(clean):
    noise = np.random.default_rng(0).normal(0, 40, clean.shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


def test_pictures_get_better_and_are_scored_one_by_one(run):
    folder = run.directory.evaluation("test")
    scores = json.loads((folder / "metrics.json").read_text())
    assert set(scores) == {"loss", "psnr", "ssim"}
    # The noise alone leaves about 17 dB.
    assert scores["psnr"] > 20
    kept = read_predictions(folder / "predictions.parquet")
    assert kept["target_psnr"].mean() == pytest.approx(scores["psnr"])
    assert kept["target_loss"].mean() == pytest.approx(scores["loss"])
    assert run.record.best["monitor"] == "val/psnr"
    # The four pictures of the split are kept for the report, which shows them between input and truth.
    files = sorted((folder / "pictures" / "target").iterdir())
    assert len(files) == 4
    place = kept["row"].tolist().index(int(files[0].stem))
    shown = np.asarray(Image.open(files[0]))
    clean = scene(int(kept["sample"][place].removesuffix(".png")), 24, 40)
    assert decibels(shown, clean) == pytest.approx(kept["target_psnr"][place], abs=0.02)
    page = run.directory.report.read_text()
    assert "What went in, what came out" in page and page.count("<figure") > 4


def test_pictures_of_any_size_are_restored_as_they_are(run, tmp_path, capsys):
    sizes = {"same": (24, 40), "large": (70, 95), "small": (9, 13)}
    clean = {name: scene(99, *size) for name, size in sizes.items()}
    files = []
    for name, pixels in clean.items():
        Image.fromarray(noisy(pixels)).save(tmp_path / f"{name}.png")
        files.append(str(tmp_path / f"{name}.png"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    files.append(str(tmp_path / "broken.png"))
    out = tmp_path / "restored"
    assert main(["predict", str(run.path), *files, "--pictures", str(out), "--on-bad", "skip"]) == 0
    told = capsys.readouterr()
    assert "broken.png" in told.err and "3 pictures written" in told.err
    for name, pixels in clean.items():
        found = np.asarray(Image.open(out / f"{name}.png"))
        assert found.shape == pixels.shape
        assert decibels(found, pixels) > decibels(noisy(pixels), pixels) + (2 if name != "small" else 0)
    # Tile by tile is what the model says of the whole: in the middle of a tile nothing else is seen.
    again = run.predict([str(tmp_path / "same.png")]).pictures["target"][0].pixels
    np.testing.assert_array_equal(again[..., 0], np.asarray(Image.open(out / "same.png")))


def test_resized_pictures_come_back_in_their_own_size(pictures, tmp_path):
    image = {"type": "image", "size": [16, 16], "resize": "letterbox"}
    recipe = {
        "name": "boxed",
        "data": {
            "source": {"name": "degraded", "root": str(pictures), "blur": 1},
            "inputs": {"input": image},
            "targets": {"target": {"type": "image"}},
            "split": {"val": 0.2},
        },
        "model": MODELS["pyramid"],
        "train": {"steps": 2, "threads": 1, "device": "cpu", "precision": "fp32"},
        "report": {"enabled": False},
    }
    made = tw.train(recipe, runs_dir=tmp_path / "runs", progress=False)
    Image.fromarray(scene(5, 30, 60)).save(tmp_path / "a.png")
    [picture] = made.predict([str(tmp_path / "a.png")]).pictures["target"]
    assert picture.pixels.shape == (30, 60, 1)


def test_a_model_of_vectors_is_refused(pictures, tmp_path):
    recipe = {
        "name": "wrong",
        "data": {
            "source": {"name": "degraded", "root": str(pictures), "blur": 1},
            "inputs": {"input": {"type": "image"}},
            "targets": {"target": {"type": "image", "loss": "mse"}},
            "split": {"val": 0.2},
        },
        "model": {"name": "cnn", "widths": [4]},
        "train": {"steps": 2, "threads": 1},
    }
    with pytest.raises(tw.errors.ModelError, match="is a picture of"):
        tw.train(recipe, runs_dir=tmp_path / "runs", progress=False)
