"""A head that is right at first and wrong later: the run ends with its name, and keeps what was learned."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from trainwright.cli import main
from trainwright.errors import ModelError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import all_runs
from trainwright.runs.record import RunState
from trainwright.workflows.training import resume, train

HEAD = """
import torch
from torch import nn

TARGETS = ("boxes",)


class Late(nn.Module):
    def __init__(self, channels, *, wrong: str, after: int = 5):
        super().__init__()
        self.wrong, self.after = wrong, after
        self.out = nn.Linear(channels[0], 1)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def is_late(self, what):
        return what == self.wrong and self.steps > self.after

    def loss(self, features, target):
        if self.training:
            self.steps += 1
        each = self.out(features[0].mean((2, 3)))[:, 0].square()
        if self.is_late("raises"):
            raise ValueError("out of luck")
        return {"near": each, "far": each * torch.nan if self.is_late("nan") else each}

    def predict(self, features):
        count, classes = len(features[0]), 3 if self.is_late("class") else 0
        boxes = torch.tensor([[1.0, 1, 9, 9]]).expand(count, 1, 4)
        if self.is_late("box"):
            boxes = boxes * torch.nan
        labels = torch.full((count, 1), classes)
        return {"boxes": boxes, "labels": labels, "scores": torch.ones(count, 1)}
"""
LOSS, RAISE, PREDICT = (
    HEAD[: HEAD.index(words)].count("\n") + 1 for words in ("def loss", "raise ValueError", "def predict")
)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe of eight small pictures with a box each, in steps of two."""
    monkeypatch.chdir(tmp_path)
    for part in ("images", "labels"):
        (tmp_path / "data" / part).mkdir(parents=True)
    (tmp_path / "data" / "data.yaml").write_text("train: images\nnames: [disc, square]\n")
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "data" / "images" / f"{number}.png")
        (tmp_path / "data" / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.5 0.5")
    (tmp_path / "late_head.py").write_text(HEAD)

    def made(wrong: str):
        return {
            "name": "late",
            "data": {
                "source": {"name": "yolo", "root": str(tmp_path / "data")},
                "inputs": {"image": {"type": "image", "size": 16}},
                "targets": {"objects": {"type": "boxes"}},
                "split": {"val": 0.25},
                "gate": {"errors": "report"},
            },
            "model": {
                "name": "pyramid",
                "backbone": {"name": "small", "widths": [4], "blocks": [1]},
                "neck": {"name": "fpn", "width": 4},
                "heads": {"objects": {"name": "late_head:Late", "wrong": wrong}},
            },
            "train": {
                "epochs": 4,
                "batch_size": 2,
                "log_every": 1,
                "threads": 1,
                "device": "cpu",
                "precision": "fp32",
                "memory_format": "contiguous",
            },
            "report": {"enabled": False},
        }

    return made


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("class", f"`predict` of head late_head:Late (late_head.py:{PREDICT}) gives `labels` with 3"),
        ("box", f"`predict` of head late_head:Late (late_head.py:{PREDICT}) gives `boxes` that are NaN"),
        ("raises", f"`loss` of head late_head:Late fails at late_head.py:{RAISE}"),
    ],
)
def test_the_method_is_blamed_and_the_checkpoint_stays(recipe, tmp_path, wrong, words):
    with pytest.raises(ModelError) as caught:
        train(recipe(wrong), runs_dir=tmp_path / "runs")
    assert words in caught.value.what
    assert caught.value.where == "model.heads.objects"
    [run] = (tmp_path / "runs").glob("late-*")
    opened = RunDirectory.open(run)
    assert opened.record().state is RunState.FAILED
    assert words in opened.record().exit_reason
    assert list(opened.checkpoints.iterdir())
    assert opened.best.exists()


def test_a_mended_head_goes_on_from_the_step_at_which_it_failed(recipe, tmp_path):
    with pytest.raises(ModelError):
        train(recipe("class"), runs_dir=tmp_path / "runs")
    [run] = (tmp_path / "runs").glob("late-*")
    (tmp_path / "late_head.py").write_text(HEAD.replace("3 if", "1 if"))
    del sys.modules["late_head"]
    assert resume(run).state == "done"
    assert "resuming at step 6" in (run / "log.txt").read_text()


def test_a_loss_that_becomes_none_points_at_the_loss(recipe, tmp_path, capsys):
    (tmp_path / "late.yaml").write_text(yaml.safe_dump(recipe("nan")))
    assert main(["train", "late.yaml"]) == 1
    said = capsys.readouterr().err
    assert "the loss (loss_far) is infinite or no number, of finite outputs" in said
    assert f"fix: look at `loss` of head late_head:Late (late_head.py:{LOSS})" in said
    assert "defect" not in said
    assert [found.state() for found in all_runs(tmp_path / "runs")] == [RunState.FAILED]
