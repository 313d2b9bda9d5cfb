"""Looking for the rate of a recipe leaves nothing behind, and says why where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainwright.cli import main
from trainwright.errors import RecipeError, UserError
from trainwright.workflows.finding_rate import find_rate

QUICK = {"train.threads": 1, "train.batch_size": 32}


def test_the_command_answers_with_an_override_that_training_takes(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    words = ["find", "lr", "digits", "train.threads=1", "--count", "40", "--quiet"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["override"] == f"train.optimizer.lr={found['suggestion']:g}"
    assert len(found["rates"]) == len(found["losses"]) == len(found["smoothed"]) <= 40
    assert 0.99 * found["steepest"] <= found["suggestion"] <= found["bound"]
    page = Path("runs/digits.lr.html").read_text()
    assert "<svg" in page and found["override"] in page
    assert [path.name for path in Path("runs").iterdir()] == ["digits.lr.html"]
    assert main([*words, "-o", "own.html"]) == 0
    assert capfd.readouterr().out.splitlines()[-2:] == [
        f"suggested  {found['override']}",
        "page       own.html",
    ]
    assert Path("own.html").exists()
    assert main(["check", "digits", found["override"]]) == 0


def test_nothing_is_suggested_where_nothing_was_learned(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    words = ["find", "lr", "digits", "train.threads=1", "--count", "20", "--to", "1e-6", "--quiet"]
    assert main(words) == 1
    out = capfd.readouterr().out
    assert "no rate is suggested: the loss did not fall at any rate up to 1e-06" in out
    assert "fix: a higher --to" in out and "suggested  " not in out
    assert "No rate is suggested" in Path("runs/digits.lr.html").read_text()


def test_what_is_special_is_told():
    wanted = {**QUICK, "train.schedule": "one_cycle", "train.batch_size": 5000}
    found = find_rate("iris", wanted, steps=20)
    notes = " ".join(found.notes)
    assert "schedule one_cycle is left out" in notes and "its highest rate is 1 times that" in notes
    assert "train.batch_size is 5000, and there are" in notes
    assert "20 times through the training samples" in notes


@pytest.mark.parametrize(
    ("recipe", "overrides", "says"),
    [
        ("digits_adversarial", {}, "in turns"),
        ("digitz", {}, "did you mean"),
    ],
)
def test_recipes_without_an_answer(recipe, overrides, says):
    with pytest.raises(RecipeError, match=says):
        find_rate(recipe, {**QUICK, **overrides})


def test_an_optimizer_without_a_rate(tmp_path, monkeypatch):
    (tmp_path / "own_optimizers.py").write_text(
        "import torch\n\n\ndef rateless(params, *, momentum: float = 0.0):\n"
        "    return torch.optim.SGD([p for _, p in params], lr=0.1, momentum=momentum)\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="has no learning rate to look for"):
        find_rate("digits", {**QUICK, "train.optimizer": "own_optimizers:rateless"})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"low": 1.0, "high": 0.1}, "no rising range"),
        ({"low": 0.0}, "no rising range"),
        ({"high": float("inf")}, "no rising range"),
        ({"steps": 3}, "3 steps make no curve"),
    ],
)
def test_ranges_that_are_none(given, says):
    with pytest.raises(UserError, match=says):
        find_rate("digits", QUICK, **given)
