"""Studies without a training: texts of time, and recipes of trials."""

import json

import pytest

from trainwright import recipe as recipes
from trainwright.cli import main
from trainwright.errors import RecipeError, RunError
from trainwright.tune.trial import TrialState
from trainwright.workflows import studies

SGD = {"name": "sgd", "momentum": 0.9}


def start(tmp_path, **tune):
    space = {
        "train.optimizer": {"choices": ["adamw", SGD]},
        "train.optimizer.nesterov": {"choices": [True, False], "when": {"train.optimizer": "sgd"}},
    }
    section = {"space": space, "objectives": {"val/loss": "minimize"}, "search": "grid", **tune}
    return studies.start("digits", {"tune": section}, runs_dir=tmp_path)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1.5h", 5400), ("90min", 5400), ("20m", 1200), ("2d", 172800)]
)
def test_times(text, seconds):
    assert studies.seconds_of(text) == seconds


def test_a_text_that_is_no_time():
    with pytest.raises(RecipeError, match="no time"):
        studies.seconds_of("2 weeks")


def test_the_exported_recipe_has_the_points_values_and_the_trials_salt(tmp_path):
    opened = start(tmp_path)
    with opened.store as store:
        assert opened.study.size == 3
        for value in (0.3, 0.1, 0.2):
            trial = opened.study.next("me", 60)
            store.finish(trial.number, trial.token, TrialState.DONE, [value])
        text = studies.exported(opened, None, "best.yaml")
        second = store.trials()[1]
        salt = recipes.identity(studies.trial_recipe(opened.base, second.point)).salt
    (tmp_path / "best.yaml").write_text(text)
    loaded = recipes.load(tmp_path / "best.yaml")
    assert text.startswith("# trainwright train best.yaml\n# Trial 1 of the study digits: val/loss 0.1\n")
    assert second.point == {"train.optimizer": SGD, "train.optimizer.nesterov": True}
    assert loaded.recipe.train.optimizer["nesterov"] is True and loaded.recipe.tune is None
    assert recipes.identity(loaded).salt == salt


def test_no_trial_to_export(tmp_path):
    opened = start(tmp_path)
    with opened.store:
        with pytest.raises(RunError, match="no trial is done yet"):
            studies.exported(opened, None, "x")
        with pytest.raises(RunError, match="there is no trial 7"):
            studies.exported(opened, 7, "x")


def test_a_recipe_that_is_mended_before_the_first_trial_is_the_studys(tmp_path):
    start(tmp_path).store.close()
    start(tmp_path, objectives={"val/accuracy": "maximize"}).store.close()
    with start(tmp_path) as opened:
        opened.study.next("me", 60)
    with pytest.raises(RunError, match="from another recipe") as caught:
        start(tmp_path, objectives={"val/accuracy": "maximize"})
    assert "tune.objectives.val/loss is `minimize` there and not given here" in caught.value.why


def test_nothing_within_the_constraints_is_told_with_the_nearest(tmp_path, capsys):
    limits = {"model/bytes": {"high": 100}}
    with start(tmp_path, constraints=limits) as opened:
        for size in (300.0, 200.0):
            trial = opened.study.next("me", 60)
            measured = {"constraints": {"model/bytes": size}}
            opened.store.finish(trial.number, trial.token, TrialState.DONE, [0.1], details=measured)
    for action in ("best", "export"):
        assert main(["tune", action, "digits", "--runs-dir", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert "2 trials are done, and none lies within the constraints" in said
        assert "the nearest is trial 1: model/bytes 200 is above 100" in said


def test_trials_that_were_all_stopped_are_no_best_ones(tmp_path, capsys):
    with start(tmp_path) as opened:
        while (trial := opened.study.next("me", 60)) is not None:
            opened.store.finish(trial.number, trial.token, TrialState.STOPPED, [0.1])
    assert main(["tune", "best", "digits", "--runs-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "no trial came to its end: 3 stopped" in said and "tune show" in said


def test_no_file_is_overwritten_and_no_option_ignored(tmp_path, capsys):
    with start(tmp_path) as opened:
        trial = opened.study.next("me", 60)
        opened.store.finish(trial.number, trial.token, TrialState.DONE, [0.1])
    precious = tmp_path / "precious.yaml"
    precious.write_text("mine")
    there = ["digits", "--runs-dir", str(tmp_path)]
    assert main(["tune", "export", *there, "-o", str(precious)]) == 2
    assert "is not overwritten" in capsys.readouterr().err and precious.read_text() == "mine"
    assert main(["tune", "show", *there, "--trials", "9"]) == 2
    assert "`tune show` takes no --trials" in capsys.readouterr().err
    assert main(["tune", "bset", *there]) == 2
    assert "did you mean `tune best digits`?" in capsys.readouterr().err


def test_several_seeds_show_their_interval(tmp_path, capsys):
    with start(tmp_path) as opened:
        trial = opened.study.next("me", 60)
        details = {"intervals": {"val/loss": [0.05, 0.15]}}
        opened.store.finish(trial.number, trial.token, TrialState.DONE, [0.1], details=details)
    assert main(["tune", "best", "digits", "--runs-dir", str(tmp_path)]) == 0
    assert "0.1 [0.05, 0.15]" in capsys.readouterr().out


def test_twenty_trials_where_nothing_is_said(tmp_path):
    space = {"train.optimizer.lr": {"low": 0.1, "high": 1.0}}
    opened = start(tmp_path, space=space, search="random")
    opened.store.close()
    assert opened.study.size == 20


def test_a_grid_over_a_range_is_refused_with_its_place(tmp_path, capsys):
    space = {"train.optimizer.lr": {"low": 0.1, "high": 1.0}}
    tune = {"space": space, "objectives": {"val/loss": "minimize"}, "search": "grid"}
    (tmp_path / "r.yaml").write_text(json.dumps({"extends": "digits", "name": "x", "tune": tune}))
    assert main(["tune", str(tmp_path / "r.yaml"), "--runs-dir", str(tmp_path)]) == 2
    assert "a grid needs values that can be counted" in capsys.readouterr().err


def test_variables_are_not_expanded_twice():
    assert studies.escaped({"a": ["${HOME}", 1]}) == {"a": ["$${HOME}", 1]}


@pytest.mark.parametrize(
    "words", [["resume"], ["show", "a", "b"], ["digits", "more"], ["digits", "--jobs", "0"]]
)
def test_command_lines_that_mean_nothing(words, capsys):
    assert main(["tune", *words]) == 2
    assert "fix:" in capsys.readouterr().err
