"""`--device` and `--wait` stand for values of the recipe."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from trainwright.cli.common import add_device, device_overrides
from trainwright.cli.entry import run_command


def test_options_become_overrides():
    parser = ArgumentParser()
    add_device(parser)
    assert device_overrides(parser.parse_args([])) == []
    given = parser.parse_args(["--device", "cuda:1", "--wait", "30"])
    assert device_overrides(given) == ["train.device=cuda:1", "train.wait_minutes=30"]


@pytest.mark.parametrize("verb", ["check", "train"])
def test_a_device_that_is_not_there_is_refused_as_the_recipe_s_would_be(verb, capsys, tmp_path):
    options = ["--runs-dir", str(tmp_path)] if verb == "train" else []
    assert run_command([verb, "digits", "--device", "cdua", *options]) == 2
    told = capsys.readouterr().err
    assert "train.device" in told
    assert "did you mean 'cuda'" in told


def test_a_wait_that_is_no_number_is_refused(capsys):
    assert run_command(["check", "digits", "--wait", "long"]) == 2
    assert "train.wait_minutes" in capsys.readouterr().err
