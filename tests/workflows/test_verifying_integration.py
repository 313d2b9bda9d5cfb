"""`trainwright verify resume`: real trainings, real kills, and a model that does not survive them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.cli import main
from trainwright.workflows.verifying import verify_resume

QUICK = [
    "train.threads=1",
    "train.device=cpu",
    "train.precision=fp32",
    "train.memory_format=contiguous",
    "train.checkpoint.every_steps=4",
    "train.log_every=5",
    "data.split.test=0.5",
]
FORGETFUL = '''
import torch

class Forgetful(torch.nn.Module):
    """Counts its steps where no checkpoint looks."""

    def __init__(self, num_classes):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, num_classes))
        self.steps = 0

    def forward(self, x):
        self.steps += self.training
        return self.body(x) * (1 + 0.001 * self.steps * self.training)
'''


def test_digits_survive_real_kills_bit_for_bit(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    epochs = ["train.epochs=14", "model.widths=[4, 6]"]
    arguments = ["verify", "resume", "digits", *QUICK, *epochs, "--kills", "2", "--keep", str(tmp_path)]
    assert main(arguments) == 0, capfd.readouterr()
    said = capfd.readouterr().out
    assert "bit-identical after" in said
    for title in ("weights/best", "weights/last", "state", "metrics"):
        assert f"leaves of {title}" in said


def test_a_state_that_no_checkpoint_has_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    given = [*QUICK, "train.epochs=40", "model=forgetful:Forgetful"]
    found = verify_resume("digits", given, tmp_path / "runs", kills=1)
    assert len(found.kills) == 1
    assert any(line.startswith("weights/last/body.1.weight") for line in found.differences)
    assert any(line.startswith("metrics/") for line in found.differences)
