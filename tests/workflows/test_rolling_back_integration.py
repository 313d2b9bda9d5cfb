"""A training that diverges goes back and on at a lower rate, with the same bits however it is interrupted.

Least squares by gradient descent: at a rate of 1.6 the error grows by a factor of about two in every step,
until it is no number; at 0.8 it shrinks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save

import trainwright as tw
from trainwright.engine.checkpoint import CheckpointStore
from trainwright.engine.health.diverged import Diverged
from trainwright.engine.loop import Loop
from trainwright.engine.state_tree import flatten
from trainwright.report.build import build_report
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord
from trainwright.workflows import attempts, rolling_back
from trainwright.workflows.session import Session

RECIPE: dict[str, Any] = {
    "name": "steep",
    "data": {
        "source": {"name": "arrays", "path": "rows.npz"},
        "inputs": {"x": {"type": "number"}},
        "targets": {"y": {"type": "number"}},
        "split": {"val": 0.1},
    },
    "model": {"name": "mlp", "hidden": []},
    "train": {
        "epochs": 16,
        "batch_size": 24,
        "optimizer": {"name": "sgd", "lr": 1.6, "momentum": 0.0},
        "health": {"not_finite": "roll_back"},
        "log_every": 4,
        "device": "cpu",
        "threads": 1,
        "precision": "fp32",
    },
    "report": {"enabled": False},
}
PER_EPOCH = 9


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data."""
    random = np.random.default_rng(0)
    x = random.standard_normal((240, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5]) + 0.1 * random.standard_normal(240)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(folder: str = "runs", **overrides: Any) -> RunDirectory:
    result = tw.train(RECIPE, overrides, runs_dir=folder)
    assert result.state == "done"
    return RunDirectory(result.path)


def rates_of(run: RunDirectory) -> list[float]:
    return [rate for _, rate in run.metrics()["step/lr"]]


def results(run: RunDirectory) -> dict[str, Any]:
    """Everything that a training leaves, but for the time it took."""
    latest = CheckpointStore(run.checkpoints).read_latest(pytest.fail)
    assert latest is not None
    structure, tensors = flatten({name: part for name, part in latest[1].items() if name != "clock"})
    record = run.record()
    return {
        "metrics": run.metrics(),
        "results": run.results.read_bytes(),
        "weights": {path.name: save(load_file(path)) for path in sorted(run.weights.glob("*.safetensors"))},
        "state": (latest[0], json.dumps(structure), save(tensors)),
        "record": (record.best, record.progress, record.rollbacks, record.exit_reason),
    }


def test_it_goes_back_and_on_at_a_lower_rate() -> None:
    run = train()
    record = run.record()
    # From the last checkpoint, at the brink of overflow, even a good rate is too late.
    first, second = record.rollbacks
    assert [(back["rule"], back["rate"]) for back in record.rollbacks] == [
        ("not_finite", 0.5),
        ("not_finite", 0.25),
    ]
    assert first["to"] % PER_EPOCH == 0 < first["to"] < first["step"] <= first["to"] + PER_EPOCH
    assert second["to"] == first["to"] - PER_EPOCH
    assert record.resumed_from == {2: first["to"], 3: second["to"]}
    series = run.metrics()
    rates = dict(series["step/lr"])
    assert {rates[step] for step in rates if step <= second["to"]} == {1.6}
    assert {rates[step] for step in rates if step > second["to"]} == {0.4}
    losses = [loss for _, loss in series["step/loss"]]
    assert np.isfinite(losses).all()
    assert losses[-1] < 1e-3 * max(losses)
    # The weights that are kept are those that the record tells of.
    metrics = json.loads((run.evaluation("val") / "metrics.json").read_text())
    assert metrics[record.best["monitor"].partition("/")[2]] == pytest.approx(record.best["value"], rel=1e-5)


def test_what_goes_on_from_it_does_so_at_the_lowered_rate() -> None:
    parent = train()
    child = RunDirectory(tw.continue_run(parent.path, {"train.epochs": 17}).path)
    assert set(rates_of(child)) == {0.4}
    grandchild = RunDirectory(tw.continue_run(child.path, ["train.epochs=18", "train.log_every=2"]).path)
    assert set(rates_of(grandchild)) == {0.4}
    said = RunDirectory(tw.continue_run(parent.path, ["train.epochs=17", "train.optimizer.lr=0.3"]).path)
    assert set(rates_of(said)) == {0.3}
    assert "at 0.25 times the recipe's learning rate" in child.log.read_text()


def test_a_rule_of_health_leads_back_sooner() -> None:
    run = train(**{"train.health": {"every": 1, "exploding": "roll_back"}})
    (back,) = run.record().rollbacks
    assert back["rule"] == "exploding"
    assert back["step"] < train("other").record().rollbacks[0]["step"]


def test_it_is_told_in_the_report_and_the_log() -> None:
    run = train()
    page = build_report(run.path).read_text()
    back = run.record().rollbacks[0]
    assert f"went back to step {back['to']:,}" in page
    assert "first in the step after" in run.log.read_text()


def test_limited_it_fails_and_says_where_it_began() -> None:
    with pytest.raises(Diverged, match="first in the step after") as caught:
        train(**{"train.health": {"not_finite": "roll_back", "rollbacks": 2, "lr_factor": 0.99}})
    assert "sample" in caught.value.what
    (path,) = Path("runs").glob("steep-*")
    record = RunDirectory(path).record()
    assert record.state == "failed"
    assert len(record.rollbacks) == 2
    found = [json.loads(line) for line in RunDirectory(path).findings.read_text().splitlines()]
    assert {line["rule"] for line in found} == {"not_finite"}


class Killed(BaseException):
    """The process is gone."""


def test_a_kill_right_after_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = results(train("whole"))
    real = attempts.roll_back

    def once(*given: Any) -> bool:
        """Decides, and dies."""
        assert real(*given)
        raise Killed

    killed_by(once, monkeypatch)
    assert results(go_on()) == whole


@pytest.mark.parametrize("at", ["_put_back", "save"])
def test_a_kill_in_the_middle_of_a_roll_back(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = results(train("whole"))

    def dies(*given: Any) -> None:
        """The process ends here."""
        raise Killed

    real = rolling_back.roll_back

    def once(run: RunDirectory, record: RunRecord, *rest: Any) -> bool:
        """Dies before the decision is written, or before anything is put back."""
        with monkeypatch.context() as patched:
            patched.setattr(
                *((rolling_back, "_put_back") if at == "_put_back" else (RunDirectory, "save")), dies
            )
            return real(run, record, *rest)

    killed_by(once, monkeypatch)
    assert results(go_on()) == whole


@pytest.mark.parametrize("steps", [(4, 30), (14, 22, 60), (2, 9, 18, 27, 40, 70, 100)])
def test_wishes_to_stop_change_nothing_though_they_save_at_other_steps(
    steps: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = results(train("whole"))
    left = list(steps)
    real = Loop._step

    def step(loop: Loop, *given: Any) -> None:
        """Somebody wants it to stop at some steps, each time once."""
        real(loop, *given)
        if left and type(loop) is Loop and loop.position.step + 1 == left[0]:
            left.pop(0)
            loop._stopping = True

    monkeypatch.setattr(Loop, "_step", step)
    state = tw.train(RECIPE, runs_dir="runs").state
    (path,) = Path("runs").glob("steep-*")
    while state == "interrupted":
        state = tw.resume(path).state
    assert not left
    assert results(RunDirectory(path)) == whole


def killed_by(roll_back: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains until the roll-back kills it; a process that is gone writes no last word."""
    with monkeypatch.context() as patched:
        patched.setattr(attempts, "roll_back", roll_back)
        patched.setattr(Session, "_failed", lambda *_: None)
        with pytest.raises(Killed):
            train()


def go_on() -> RunDirectory:
    (path,) = Path("runs").glob("steep-*")
    assert tw.resume(path).state == "done"
    return RunDirectory(path)
