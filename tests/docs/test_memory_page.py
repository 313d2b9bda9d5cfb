"""The commands on the page of memory do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trainwright.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "memory.md"
COMMANDS = re.findall(r"<!-- checked -->\n```sh\ntrainwright (.*?)\n```", PAGE.read_text())


def test_there_are_commands():
    assert len(COMMANDS) == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_tells_of_memory(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 0, capsys.readouterr().err
    [told] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("memory: ")]
    assert ("measured" in told) == ("--probe" in command)
