"""Runs made without any training."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.spool import Spool

RECIPE: dict[str, Any] = {
    "name": "digits",
    "model": {"name": "mlp", "hidden": [64, 64]},
    "train": {"epochs": 3, "optimizer": {"name": "adamw", "lr": 0.01}},
}


@pytest.fixture
def recipe() -> dict[str, Any]:
    """The resolved recipe of the runs that `make_run` makes."""
    return copy.deepcopy(RECIPE)


MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def make_run(runs_dir: Path) -> MakeRun:
    """Makes a run as training would leave it. State RUNNING is what a SIGKILL leaves."""

    def make(
        name: str = "digits",
        salt: str = "0123456789",
        *,
        state: RunState = RunState.DONE,
        reason: str = "",
        recipe: dict[str, Any] = RECIPE,
        accuracy: float | None = 0.97,
        digest: str = "",
        fingerprint: str = "",
    ) -> RunDirectory:
        record = RunRecord(name=name, salt=salt, digest=digest)
        if fingerprint:
            record.data["fingerprint"] = fingerprint
        attempt = record.begin()
        run = RunDirectory(runs_dir / f"{name}-{salt}")
        with run.acquire():
            run.create(record, as_given="name: given\n", resolved=yaml.safe_dump(recipe, sort_keys=False))
            with Spool(run.metrics_file, attempt=attempt.number) as spool:
                spool.log(10, 0, {"train/loss": 1.0})
                spool.log(20, 1, {"train/loss": 0.5})
            record.progress = {"step": 20, "epoch": 2, "total_steps": 30}
            if state is not RunState.RUNNING:
                record.end(state, reason)
            run.save(record)
        if accuracy is not None:
            run.evaluation("test").mkdir(parents=True)
            (run.evaluation("test") / "metrics.json").write_text(json.dumps({"accuracy": accuracy}))
        return run

    return make
