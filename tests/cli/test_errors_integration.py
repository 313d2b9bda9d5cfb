"""What a user can get wrong ends in one readable error, exit code 2, before any training, without a trace."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from trainwright.runs.listing import all_runs

RECIPE = """\
name: pets
data:
  source: {name: folder, root: photos}
  inputs: {image: {type: image, size: [16, 16]}}
  targets: {label: {type: category}}
  split: {val: 0.25}
model: {name: cnn, widths: [4]}
train: {steps: 2, batch_size: 4, precision: fp32, threads: 1}
"""
NETS = """\
from torch import nn

class TooWide(nn.Module):
    def __init__(self, image_size, in_channels, *, width: int = 5):
        super().__init__()
        self.last = nn.Linear(in_channels * image_size[0] * image_size[1], width)

    def forward(self, images):
        return self.last(images.flatten(1))

class Unfitting(nn.Module):
    def __init__(self, num_outputs):
        super().__init__()
        self.last = nn.Linear(7, num_outputs)

    def forward(self, images):
        return self.last(images.flatten(1))
"""
CNN = "model: {name: cnn, widths: [4]}"


@pytest.fixture(scope="module")
def place(tmp_path_factory, make_photos) -> Path:
    """A user's directory: pictures, a recipe, and everything that can be wrong."""
    root = tmp_path_factory.mktemp("place")
    make_photos(root / "photos")
    make_photos(root / "only_cats", ["cat"])
    (make_photos(root / "no_birds") / "bird").mkdir()
    spoilt = make_photos(root / "spoilt")
    (spoilt / "cat" / "3.png").write_bytes(b"hello")
    (spoilt / "dog" / "1.png").write_bytes((spoilt / "dog" / "0.png").read_bytes()[:200])
    (root / "nets.py").write_text(NETS)
    (root / "raising.py").write_text("width = 3\nraise ValueError('boom')\n")
    (root / "unfinished.py").write_text("class Net(\n")
    shapes = {"conv1.weight": (4, 3, 3, 3), "conv1.bias": (9,), "fc.weight": (7, 256), "fc.bias": (64,)}
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, root / "other.safetensors")
    (root / "recipe.yaml").write_text(RECIPE)
    return root


# What is wrong -> (line of the recipe or None, what it becomes or overrides, what the error must say).
WRONG = {
    "unknown key": (
        ("batch_size: 4", "batchsize: 4"),
        [],
        ["recipe.yaml:8: train.batchsize: unknown key", "did you mean `batch_size`?"],
    ),
    "unknown override": (None, ["train.epoch=1"], ["override train.epoch", "did you mean `train.epochs`?"]),
    "unknown parameter": (
        ("widths: [4]", "widht: [4]"),
        [],
        ["recipe.yaml:7: model.widht", "did you mean `widths`?"],
    ),
    "wrong type": (
        ("batch_size: 4", "batch_size: four"),
        [],
        ["recipe.yaml:8: train.batch_size: expected a whole number >= 1, got the text `four`"],
    ),
    "out of range": (
        ("batch_size: 4", "batch_size: 0"),
        [],
        ["recipe.yaml:8: train.batch_size: expected a whole number >= 1, got 0"],
    ),
    "not a number": (None, ["train.optimizer.lr=.nan"], ["train.optimizer.lr: expected a number > 0"]),
    "duplicate key": (
        (CNN, CNN + "\nmodel: mlp"),
        [],
        ["recipe.yaml:8: duplicate key `model`, first on line 7"],
    ),
    "dead value": (
        ("steps: 2", "steps: 2, optimizer: {name: sgd, nesterov: true}"),
        [],
        ["recipe.yaml:8: train.optimizer.nesterov", "has no effect when momentum == 0"],
    ),
    "missing folder": (
        ("root: photos", "root: photo"),
        [],
        ["recipe.yaml:3: data.source.root: photo does not exist", "did you mean photos?"],
    ),
    "empty class folder": (
        ("root: photos", "root: no_birds"),
        [],
        ["recipe.yaml:3: data.source: ", "no_birds: class folder 'bird' has no images"],
    ),
    "one class only": (
        ("root: photos", "root: only_cats"),
        [],
        ["recipe.yaml:3: data.source: ", "only_cats: there is one class only: cat"],
    ),
    "no such column": (
        ("{image: {type", "{pixels: {type"),
        [],
        ["recipe.yaml:4: data.inputs.pixels: the source has no column 'pixels'", "it has image, label"],
    ),
    "no such split": (None, ["report.splits=[tset]"], ["report.splits: the data have no split 'tset'"]),
    "no such metric": (
        None,
        ["train.early_stop={monitor: val/acuracy}"],
        ["train.early_stop.monitor", "'val/acuracy'", "'val/accuracy'"],
    ),
    "output of a user's module": (
        (CNN, "model: 'nets:TooWide'"),
        [],
        ["recipe.yaml:7: model: the model gives [5] per sample, target 'label' needs [2]", "has 2 classes"],
    ),
    "layer of a user's module": (
        (CNN, "model: 'nets:Unfitting'"),
        [],
        ["recipe.yaml:7: model: layer 'last' (Linear) fails on an input of shape [2, 768]", "2x768 and 7x2"],
    ),
    "output of layers": (
        (CNN, "model: {name: layers, layers: [flatten, {type: dense, units: 5}]}"),
        [],
        ["recipe.yaml:7: model.layers.1", "the output has 5 units, but the targets need 2"],
    ),
    "loss for another target": (
        ("{type: category}", "{type: category, loss: mse}"),
        [],
        [
            "recipe.yaml:5: data.targets.label.loss",
            "loss `mse` is for number and image, the column is category",
        ],
    ),
    "unknown model": (
        (CNN, "model: resnett18"),
        [],
        ["recipe.yaml:7: model", "there is no model `resnett18`", "did you mean `resnet18`?"],
    ),
    "module that raises": (
        (CNN, "model: 'raising:Net'"),
        [],
        ["recipe.yaml:7", "`raising` fails to import: ValueError: boom", "raising.py:2"],
    ),
    "module with a syntax error": ((CNN, "model: 'unfinished:Net'"), [], ["SyntaxError", "unfinished.py:1"]),
    "module that is not there": ((CNN, "model: 'absent:Net'"), [], ["there is no module `absent`"]),
    "module without it": ((CNN, "model: 'nets:TooWid'"), [], ["has no `TooWid`", "did you mean `TooWide`?"]),
    "weights of other shapes": (
        ("train: {", "init: {path: other.safetensors}\ntrain: {"),
        [],
        [
            "recipe.yaml:8: init.path: the weights do not fit",
            "missing in the file: head.weight, head.bias",
            "conv1.bias: [9] in the file, [4] in the model",
            "fc.weight: [7, 256] in the file",
        ],
    ),
    "no such weights": (
        ("train: {", "init: {path: othr.safetensors}\ntrain: {"),
        [],
        ["recipe.yaml:8: init.path: ", "othr.safetensors", "did you mean other.safetensors?"],
    ),
    "unreadable pictures": (
        ("root: photos", "root: spoilt"),
        [],
        ["cat/3.png, column image: not an image", "dog/1.png, column image: damaged or cut off", "skip"],
    ),
    "more unreadable pictures than may be": (
        ("root: photos", "root: spoilt"),
        ["data.on_bad={policy: skip, limit: 0.05}"],
        ["data.on_bad.limit: 2 of 16 samples cannot be read, more than 5.00%", "cat/3.png"],
    ),
}


def write(place: Path, change: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend("")
    if change is not None:
        assert change[0] in RECIPE
    (place / "recipe.yaml").write_text(RECIPE.replace(*change) if change else RECIPE)


@pytest.mark.parametrize("verb", ["train", "check"])
@pytest.mark.parametrize("case", WRONG)
def test_one_readable_error_and_nothing_left_behind(case, verb, place, command, monkeypatch):
    change, overrides, messages = WRONG[case]
    write(place, change, monkeypatch)
    answer = command(verb, "recipe.yaml", *overrides)
    assert answer.code == 2
    for message in messages:
        assert message in answer.err
    assert "Traceback" not in answer.err and "unexpected" not in answer.err
    assert "error: " in answer.err
    assert list(place.glob("runs/*")) == []


@pytest.mark.parametrize("case", ["unknown key", "output of a user's module", "unreadable pictures"])
def test_the_same_as_a_process(case, place, monkeypatch):
    """As a user starts it: stdout stays empty, stderr has the words alone."""
    change, overrides, messages = WRONG[case]
    write(place, change, monkeypatch)
    answer = subprocess.run(
        [sys.executable, "-m", "trainwright.cli", "train", "recipe.yaml", *overrides],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2 and answer.stdout == ""
    assert answer.stderr.startswith("error: ") and "Traceback" not in answer.stderr
    for message in messages:
        assert message in answer.stderr


def test_unreadable_pictures_can_be_left_out_and_are_counted(place, command, monkeypatch):
    write(place, ("root: photos", "root: spoilt"), monkeypatch)
    words = ["recipe.yaml", "data.on_bad={policy: skip, limit: 0.2}", "report.enabled=false"]
    assert command("train", *words, "--runs-dir", "skipping").code == 0
    [run] = all_runs("skipping")
    with (run.data / "dropped.csv").open() as file:
        dropped = list(csv.DictReader(file))
    assert [row["sample"] for row in dropped] == ["cat/3.png", "dog/1.png"]
    assert all(row["column"] == "image" and row["reason"] for row in dropped)
    # The rows are numbers into the sorted files: eight cats, then the dogs.
    assert [int(row["row"]) for row in dropped] == [3, 9]
    assert "2 samples are left out" in command("check", *words).out


def test_a_run_that_began_is_kept(place, command, monkeypatch):
    """Only what never took a step is removed: a failure in mid-run leaves what there is to resume."""
    write(place, None, monkeypatch)
    assert command("train", "recipe.yaml", "--runs-dir", "kept", "train.steps=2").code == 0
    answer = command("train", "recipe.yaml", "--runs-dir", "kept", "--fresh", "model=nets:TooWide")
    assert answer.code == 2
    assert len(list(place.glob("kept/[!.]*"))) == 1


def test_a_picture_of_another_mode_is_not_an_error(place, command, monkeypatch):
    """What looks odd but can be read is read: the error is for what cannot."""
    write(place, None, monkeypatch)
    picture = place / "photos" / "cat" / "0.png"
    before = picture.read_bytes()
    Image.open(picture).convert("L").save(picture)
    assert command("check", "recipe.yaml").code == 0
    picture.write_bytes(before)
