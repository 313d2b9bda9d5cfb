"""A study that Optuna itself opens."""

from __future__ import annotations

import pytest

from trainwright.errors import RunError
from trainwright.recipe.space import Space, Variable
from trainwright.tune.curve import Report
from trainwright.tune.optuna_storage import write_optuna
from trainwright.tune.trial import Trial, TrialState

optuna = pytest.importorskip("optuna")

SPACE = Space(
    (
        Variable("lr", low=1e-4, high=1e-1, log=True),
        Variable("size", low=8, high=64, step=8, integer=True),
        Variable("optimizer", choices=("adamw", {"name": "sgd", "momentum": 0.9})),
    )
)
SGD = '{"momentum": 0.9, "name": "sgd"}'
POINT = {"lr": 0.01, "size": 16, "optimizer": {"name": "sgd", "momentum": 0.9}}
TRIALS = [
    Trial(0, POINT, TrialState.DONE, (0.9,), run="runs/a", details={"each": {"val/accuracy": [0.8, 1.0]}}),
    Trial(1, {**POINT, "optimizer": "adamw"}, TrialState.STOPPED, (0.2,), reason="median: ...", epochs=1),
    Trial(2, POINT, TrialState.FAILED, reason="it diverged"),
    Trial(3, POINT, TrialState.RUNNING),
]
CURVES = {0: (Report(1, 5, {"val/accuracy": 0.7}), Report(2, 9, {"val/accuracy": 0.9}))}
CURVES[1] = (Report(1, 5, {"val/accuracy": 0.2}),)


def test_optuna_opens_what_was_written(tmp_path):
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    assert write_optuna(url, "s", SPACE, {"val/accuracy": "maximize"}, TRIALS, CURVES) == 3
    study = optuna.load_study(study_name="s", storage=url)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "FAIL"]
    best = study.best_trial
    assert best.value == 0.9 and best.params == {"lr": 0.01, "size": 16, "optimizer": SGD}
    assert best.intermediate_values == {1: 0.7, 2: 0.9} and best.user_attrs["run"] == "runs/a"
    assert study.trials[1].params["optimizer"] == "adamw" and study.trials[1].last_step == 1
    assert study.trials[2].user_attrs["reason"] == "it diverged" and study.metric_names == ["val/accuracy"]
    # Optuna's own samplers go on from it.
    study.sampler = optuna.samplers.TPESampler(seed=0, n_startup_trials=1)
    asked = study.ask()
    assert 1e-4 <= asked.suggest_float("lr", 1e-4, 1e-1, log=True) <= 1e-1
    with pytest.raises(RunError, match="already"):
        write_optuna(url, "s", SPACE, {"val/accuracy": "maximize"}, TRIALS, CURVES)


def test_several_objectives(tmp_path):
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    done = [Trial(n, POINT, TrialState.DONE, (v, 10.0 * n)) for n, v in enumerate([0.5, 0.4, 0.9])]
    objectives = {"val/accuracy": "maximize", "model/parameters": "minimize"}
    write_optuna(url, "two", SPACE, objectives, [*done, Trial(3, POINT, TrialState.STOPPED, (0.1, 9.0))], {})
    study = optuna.load_study(study_name="two", storage=url)
    assert [trial.number for trial in study.best_trials] == [0, 2]
    assert study.trials[3].state.name == "PRUNED"
    assert study.trials[3].user_attrs["last"] == {"val/accuracy": 0.1, "model/parameters": 9.0}


@pytest.mark.parametrize("url", ["optuna.db", "nonsense://x/y", "sqlite:////no/such/folder/optuna.db"])
def test_a_storage_that_cannot_be_opened(url):
    with pytest.raises(RunError, match="cannot open the storage") as caught:
        write_optuna(url, "s", SPACE, {"val/accuracy": "maximize"}, TRIALS, CURVES)
    assert caught.value.where == url and "sqlite:///optuna.db" in caught.value.fix
