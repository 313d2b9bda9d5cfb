"""`--device` and `--wait` stand for values of the recipe."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module

import pytest

from trainwright.cli.common import add_device
from trainwright.cli.entry import run_command
from trainwright.cli.overrides import device_overrides
from trainwright.cli.verbs import module_of


def test_options_become_overrides():
    parser = ArgumentParser()
    add_device(parser)
    assert device_overrides(parser.parse_args([])) == []
    given = parser.parse_args(["--device", "cuda:1", "--wait", "30"])
    assert device_overrides(given) == ["train.device=cuda:1", "train.wait_minutes=30"]


@pytest.mark.parametrize("verb", ["check", "train", "tune", "continue", "verify"])
def test_verbs_hand_them_to_the_recipe(verb, monkeypatch):
    seen = []
    module = import_module(module_of(verb))
    monkeypatch.setattr(module, "run", lambda arguments: seen.extend(arguments.overrides) or 0)
    words = ["resume", "digits"] if verb == "verify" else ["digits"]
    assert run_command([verb, *words, "--device", "cuda:1", "train.epochs=1", "--wait=5"]) == 0
    assert seen == ["train.epochs=1", "train.device=cuda:1", "train.wait_minutes=5"]


def test_a_wait_that_is_no_number_is_refused(capsys):
    assert run_command(["check", "digits", "--wait", "long"]) == 2
    assert "train.wait_minutes" in capsys.readouterr().err
