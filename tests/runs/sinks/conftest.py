"""Points and runs for sinks."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from trainwright.runs.sinks.base import Ending, Point, RunFacts

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
"""A PNG of one pixel."""


@pytest.fixture
def facts(tmp_path: Path) -> RunFacts:
    path = tmp_path / "runs" / "digits-0123456789"
    path.mkdir(parents=True)
    parameters = {"train.optimizer.lr": 0.01, "train.ema": None, "model.name": "mlp", "train.compile": False}
    return RunFacts(
        path.name, "digits", path, 1_700_000_000.0, parameters, {"salt": "0123456789"}, "name: digits\n"
    )


@pytest.fixture
def points() -> list[Point]:
    """Two steps, names with slashes and other signs, and numbers that are none."""
    moment = 1_700_000_100.0
    return [
        Point("val/accuracy", 10, 0.5, 0, moment),
        Point("val/f1[cat]", 10, math.nan, 0, moment),
        Point("val/accuracy", 20, 0.75, 1, moment + 1),
        Point("train/loss", 20, math.inf, 1, moment + 1),
        Point("train/loss/box", 20, -1e300, 1, moment + 1),
    ]


@pytest.fixture
def ending(facts: RunFacts) -> Ending:
    figure = facts.path / "plots" / "learning-curves.png"
    figure.parent.mkdir()
    figure.write_bytes(PICTURE)
    report = facts.path / "report.html"
    report.write_text("<html></html>")
    return Ending("done", 20, 1_700_000_200.0, {"test/accuracy": 0.7}, [figure], report)
