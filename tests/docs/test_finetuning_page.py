"""The recipe on the page of finetuning is valid; it is too long to be trained here."""

from __future__ import annotations

import re
from pathlib import Path

from trainwright.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "finetuning.md"


def test_the_recipe_passes_the_check(tmp_path, monkeypatch, capsys):
    [text] = re.findall(r"<!-- checked: finetune.yaml -->\n```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "finetune.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "finetune.yaml"]) == 0, capsys.readouterr().err
    assert "parameters" in capsys.readouterr().out
