"""The page on heads shows the examples as they are, and the examples run."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from trainwright.cli import main
from trainwright.runs.listing import all_runs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "heads.md").read_text()
SHOWN = re.compile(r"<!-- (?P<how>file|part of): (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
QUICK = ["train.epochs=null", "train.steps=3", "train.threads=1", "train.precision=fp32"]


def test_what_is_shown_is_what_lies_there():
    shown = list(SHOWN.finditer(PAGE))
    assert len(shown) == 2
    for match in shown:
        text = (ROOT / match["file"]).read_text()
        assert match["text"] == text if match["how"] == "file" else match["text"] in text


@pytest.mark.parametrize(
    ("name", "folder", "words"),
    [
        ("door_corners", "doors", "mean corners"),
        ("price", "houses", "mean price"),
    ],
)
def test_an_example_from_its_pictures_to_its_margin(name, folder, words, tmp_path, monkeypatch, capsys):
    place = tmp_path / name
    shutil.copytree(EXAMPLES / name, place)
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", [str(place), *sys.path])
    monkeypatch.setattr(sys, "argv", ["make_pictures.py", folder, "--train", "24", "--test", "8"])
    runpy.run_path("make_pictures.py", run_name="__main__")
    assert main(["train", "recipe.yaml", *QUICK, "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    monkeypatch.setattr(sys, "argv", ["margin.py", str(run.path)])
    capsys.readouterr()
    runpy.run_path("margin.py", run_name="__main__")
    said = capsys.readouterr().out
    assert words in said and "95 % interval" in said


def test_pictures_are_a_function_of_the_seed(tmp_path, monkeypatch):
    made = []
    for place, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        argv = ["make_pictures.py", str(tmp_path / place), "--train", "2", "--test", "1", "--seed", seed]
        monkeypatch.setattr(sys, "argv", argv)
        runpy.run_path(str(EXAMPLES / "door_corners" / "make_pictures.py"), run_name="__main__")
        made.append([(tmp_path / place / name).read_bytes() for name in ("train.csv", "test/0000.png")])
    assert made[0] == made[1] != made[2]
