"""The recipes that ship, and recipes as documents."""

from __future__ import annotations

import json


def test_list_names_digits(command):
    assert any(line.startswith("digits ") for line in command("recipes").out.splitlines())
    assert "digits" in {item["name"] for item in json.loads(command("recipes", "list", "--json").out)}


def test_show_and_copy(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = command("recipes", "show", "digits").out
    answer = command("recipes", "copy", "digits")
    assert answer.code == 0 and "trainwright train digits.yaml" in answer.out
    assert (tmp_path / "digits.yaml").read_text() == shown
    again = command("recipes", "copy", "digits")
    assert again.code == 2 and "exists" in again.err
    assert command("recipes", "copy", "digits", "mine.yaml").code == 0


def test_unknown_recipe_names_the_closest(command):
    answer = command("recipes", "show", "digts")
    assert answer.code == 2 and "digits" in answer.err


def test_diff_of_two_recipes(command, tmp_path):
    text = command("recipes", "show", "digits").out
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(text.replace("name: digits", "name: other", 1))
    answer = command("recipe", "diff", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert answer.code == 0 and "name" in answer.out and "other" in answer.out
    same = command("recipe", "diff", str(tmp_path / "a.yaml"), str(tmp_path / "a.yaml"))
    assert same.out == "the recipes have equal values\n"


def test_variables_of_a_recipe_are_told(command):
    [row] = [line for line in command("recipes").out.splitlines() if line.startswith("clothing10_finetune ")]
    assert "DATA (else .), WEIGHTS" in row
    found = {item["name"]: item["variables"] for item in json.loads(command("recipes", "list", "--json").out)}
    assert found["clothing10_finetune"] == {"DATA": ".", "WEIGHTS": None}
    assert found["clothing10_finetune_all"] == found["clothing10_finetune"]  # which it extends
    assert found["digits"] == {}
    shown = command("recipes", "show", "clothing10_finetune").out
    assert shown.startswith("# Reads the environment variables: DATA (else .), WEIGHTS\n")
