"""The last words of a training."""

from __future__ import annotations

from types import SimpleNamespace

from trainwright.cli.outcome import show_outcome


def result(path, **changes):
    values = {
        "path": path,
        "state": "done",
        "reason": "",
        "metrics": {"test": {"accuracy": 0.975, "loss": 0.1, "confusion": [[1]]}},
        "messages": ["seen", "new"],
    }
    return SimpleNamespace(**{**values, **changes})


def test_done_shows_metrics_places_and_next_commands(capsys, make_run):
    run = make_run("aaaa000000")
    run.report.touch()
    assert show_outcome(result(run.path), said=["seen"]) == 0
    out = capsys.readouterr().out
    assert "test        accuracy 0.975  loss 0.1\n" in out
    assert f"report      {run.report}\n" in out and "weights " not in out
    assert f"  trainwright predict {run.path} FILE...\n" in out
    assert "new\n" in out and "seen\n" not in out


def test_interrupted_says_how_to_go_on(capsys, make_run):
    run = make_run("aaaa000000")
    stopped = result(run.path, state="interrupted", reason="Ctrl-C", metrics={}, messages=["go on so"])
    assert show_outcome(stopped) == 130
    assert capsys.readouterr().out == "go on so\ninterrupted: Ctrl-C\n"
