"""The pipeline and the function on the page of pipelines are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trainwright.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pipelines.md").read_text()
BLOCK = re.compile(r"<!-- checked(?:: (\S+))? -->\n```\w+\n(.*?)```", re.DOTALL)


@pytest.fixture
def blocks(tmp_path, monkeypatch):
    """Name of a file (or nothing) -> text, the files written into the current directory."""
    monkeypatch.chdir(tmp_path)
    found = dict(BLOCK.findall(PAGE))
    assert set(found) == {"digits_pipeline.yaml", "", "counting.py"}
    for name, text in found.items():
        if name:
            (tmp_path / name).write_text(text)
    return found


def test_the_commands_work(blocks, capfd):
    for line in blocks[""].splitlines():
        words = re.sub(r"\s{2,}#.*", "", line).split()
        assert words[0] == "trainwright"
        assert main(words[1:]) == 0, capfd.readouterr().err
    shown = capfd.readouterr().out
    assert shown.count(" done ") >= 8  # four stages, after the work and in `show`
    assert next(Path("pipelines/digits").glob("report-*/output/report.html")).is_file()


def test_the_function_is_a_stage(blocks, capfd):
    Path("table.csv").write_text("a\nb\nc\n")
    stage = "{name: 'counting:count', table: table.csv, workers: 2}"
    Path("pipe.yaml").write_text(f"name: pipe\nstages: {{lines: {stage}}}\n")
    assert main(["pipeline", "pipe.yaml"]) == 0, capfd.readouterr().err
    assert next(Path("pipelines/pipe").glob("lines-*/output/count.txt")).read_text() == "3"
