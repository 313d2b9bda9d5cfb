"""The recipe on the page on health does what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from trainwright.cli import main
from trainwright.recipe.health import RULES
from trainwright.runs.directory import RunDirectory

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "health.md").read_text()


def test_it_tells_of_every_rule() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(RULES)


def test_its_training_ends_early_and_says_why(tmp_path, monkeypatch, capfd) -> None:
    [text] = re.findall(r"<!-- checked: health.yaml -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "health.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "health.yaml"]) == 0
    assert "are dead: they gave 0 for every sample" in capfd.readouterr().err
    (path,) = Path("runs").glob("too_fast-*")
    run = RunDirectory(path)
    assert "are dead" in run.record().exit_reason
    lines = [json.loads(line) for line in run.findings.read_text().splitlines()]
    (found,) = (line for line in lines if line["rule"] == "dead_units")
    assert found["policy"] == "stop"
    assert found["step"] == run.record().progress["step"] < run.record().progress["total_steps"]
    norms = run.metrics()["grad/total"]
    assert [step for step, _ in norms] == list(range(5, found["step"] + 1, 5))
    assert "are dead" in run.report.read_text()


def test_its_other_training_goes_back_and_on_at_a_lower_rate(tmp_path, monkeypatch) -> None:
    [text] = re.findall(r"<!-- checked: rolling_back.yaml -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "rolling_back.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "rolling_back.yaml", "--quiet"]) == 0
    (path,) = Path("runs").glob("too_fast_at_first-*")
    record = RunDirectory(path).record()
    assert record.state == "done"
    assert [back["rate"] for back in record.rollbacks] == [1e-21]
    assert "went wrong" in RunDirectory(path).report.read_text()
