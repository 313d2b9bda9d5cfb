"""Studies end to end, in real processes that are killed and paused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from thread_process import ThreadProcess

from benchmarks import chaos_tune
from trainwright.cli import main
from trainwright.errors import RecipeError, RunError
from trainwright.recipe import load
from trainwright.runs.directory import RunDirectory
from trainwright.runs.environment import usable_cores
from trainwright.tune.trial import TrialState
from trainwright.workflows import studies, tuning
from trainwright.workflows.tuning import Tuning

pytest.importorskip("optuna")
pytestmark = pytest.mark.xdist_group("tuning")

TRAIN = {"steps": 6, "epochs": None, "threads": 1, "precision": "fp32", "memory_format": "contiguous"}
RATES = {"train.optimizer.lr": {"choices": [0.001, 0.01, 0.1]}}


def write(folder: Path, space=None, objectives=None, name: str = "s", **tune) -> Path:
    section = {"space": space or RATES, "objectives": objectives or {"val/accuracy": "maximize"}, **tune}
    path = folder / "r.yaml"
    folder.mkdir(exist_ok=True)
    path.write_text(json.dumps({"extends": "digits", "name": name, "train": TRAIN, "tune": section}))
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def here(place, monkeypatch):
    """Trials are worked on in this process: nothing is killed."""
    monkeypatch.setattr(tuning, "TrialProcess", ThreadProcess)
    return place


def tune(*words: str) -> int:
    return main(["tune", *words])


def test_a_grid_from_start_to_export(here, capfd):
    write(here, search="grid")
    assert tune("r.yaml") == 0
    with studies.open_study("s", runs_dir="runs").store as store:
        trials = store.trials()
    assert [trial.point["train.optimizer.lr"] for trial in trials] == [0.001, 0.01, 0.1]
    assert {trial.state for trial in trials} == {TrialState.DONE}
    for trial in trials:
        scored = json.loads((Path(trial.run) / "evaluation/val/metrics.json").read_text())
        assert trial.values == (scored["accuracy"],)
        assert RunDirectory(trial.run).record().pinned["threads"] == 1
    capfd.readouterr()
    assert tune("best", "s", "--json") == 0
    best = json.loads(capfd.readouterr().out)[0]
    assert best["values"]["val/accuracy"] == max(trial.values[0] for trial in trials)
    assert tune("export", "s", "-o", "best.yaml") == 0
    capfd.readouterr()
    # The exported recipe is the trial's own run: nothing is trained again.
    assert main(["train", "best.yaml", "--quiet"]) == 0
    assert f"{best['run']} is done already" in capfd.readouterr().out
    assert tune("r.yaml") == 0
    assert len(list(Path("runs").glob("s-*"))) == 3
    assert tune("show", "s") == 0
    assert "0.001" in capfd.readouterr().out
    assert tune("report", "s") == 0
    page = Path("runs/s.study.html").read_text()
    assert "point 3 of the grid" in page and best["run"] in page
    assert tune("merge", "s", "s", "-o", "both.study") == 0
    assert "3 were there twice" in capfd.readouterr().out
    with studies.open_study("both.study", runs_dir="runs").store as store:
        assert [trial.values for trial in store.trials()] == [trial.values for trial in trials]


def test_the_winner_trained_anew_has_the_same_bits(place, monkeypatch):
    """Its threads are the share that the trial had, whatever the machine would give a single run."""
    monkeypatch.setitem(TRAIN, "threads", None)
    write(place, search="grid")
    assert tune("r.yaml", "--jobs", str(max(2, usable_cores()))) == 0
    assert tune("export", "s", "-o", "best.yaml") == 0
    assert load("best.yaml").recipe.train.threads == 1
    assert main(["train", "best.yaml", "--runs-dir", "again", "--quiet"]) == 0
    (again,) = Path("again").glob("s-*")
    for name in ("best", "last"):
        weights = Path("weights", f"{name}.safetensors")
        assert (again / weights).read_bytes() == (Path("runs", again.name) / weights).read_bytes()


def test_a_point_that_was_run_before_is_not_trained_again(here, capfd):
    path = write(here, search="grid")
    assert main(["train", str(path), "train.optimizer.lr=0.01", "--quiet"]) == 0
    assert tune("r.yaml") == 0
    assert "that point was run before: its run is used" in capfd.readouterr().err
    with studies.open_study("s", runs_dir="runs").store as store:
        assert [trial.reused for trial in store.trials()] == [False, True, False]


def test_failed_trials_are_tried_again_with_one_command(here, capfd):
    """A rate at which the training diverges; the second time it diverges again, and that is said."""
    write(here, space={"train.optimizer.lr": {"choices": [0.01, 1e30]}}, search="grid")
    assert tune("r.yaml") == 0
    said = capfd.readouterr()
    assert "1 done, 1 failed" in said.out and "--failed" in said.out
    assert "trial 1 failed" in said.err
    assert tune("resume", "s", "--failed") == 0
    with studies.open_study("s", runs_dir="runs").store as store:
        trials = store.trials()
    assert [(trial.state, trial.retries) for trial in trials] == [("done", 0), ("failed", 1)]
    assert trials[0].token == 1


def test_several_objectives_give_a_front(here, capfd):
    write(
        here,
        space={"model.widths": {"choices": [[2, 4], [8, 16]]}},
        objectives={
            "val/loss": "minimize",
            "model/parameters": "minimize",
            "model/latency_ms": "minimize",
            "run/epochs_to_best": "minimize",
        },
        search="grid",
    )
    assert tune("r.yaml") == 0
    assert "Pareto front" in capfd.readouterr().out
    with studies.open_study("s", runs_dir="runs").store as store:
        small, large = (trial.values[1] for trial in store.trials())
        for trial in store.trials():
            low, high = trial.details["intervals"]["model/latency_ms"]
            assert 0 < low <= trial.values[2] <= high and trial.values[3] == 1
    # Convolutions 3 x 3 with batch normalisation, then a linear layer to ten classes.
    assert 0 < small < large


def test_halving_goes_on_from_checkpoints(here, capfd):
    """Three come to the first rung, the best of them to the end; every trial has one run."""
    write(
        here,
        search="grid",
        space={"train.optimizer.lr": {"choices": [1e-6, 1e-5, 1e-2]}},
        stop=["successive_halving"],
    )
    assert tune("r.yaml", "--train.steps", "null", "--train.epochs", "3") == 0
    said = capfd.readouterr()
    assert "2 paused, 1 done" in said.out and "trial 0 paused  successive halving" in said.err
    assert "finished" not in said.out
    with studies.open_study("s", runs_dir="runs").store as store:
        trials, curves = store.trials(), store.curves()
    assert [trial.state for trial in trials] == ["paused", "paused", "done"]
    assert [len(curves[trial.number]) for trial in trials] == [1, 1, 3]
    assert trials[0].values == (curves[0][0].values["val/accuracy"],)
    assert (Path(trials[0].run) / "weights/best.safetensors").exists()
    assert tune("show", "s") == 0
    assert "is number" in capfd.readouterr().out


def test_limits_and_seeds(here):
    """The larger network is stopped for its size; the smaller one is trained with three seeds."""
    write(
        here,
        space={"model.widths": {"choices": [[2, 4], [16, 32]]}},
        search="grid",
        constraints={"model/parameters": {"high": 5000}},
        seeds=3,
        statistic="worst",
    )
    assert tune("r.yaml", "--quiet", "--train.steps", "null", "--train.epochs", "2") == 0
    with studies.open_study("s", runs_dir="runs") as opened:
        small, large = opened.store.trials()
        assert [trial.number for trial in opened.best()] == [0]
    assert large.state is TrialState.STOPPED and large.reason.startswith("constraint: model/parameters")
    scored = [
        json.loads((Path(run) / "evaluation/val/metrics.json").read_text())["accuracy"]
        for run in small.details["runs"]
    ]
    assert len({Path(run) for run in small.details["runs"]}) == 3
    assert small.details["each"]["val/accuracy"] == scored and small.values == (min(scored),)
    seeds = [RunDirectory(run).record().seeds["train"] for run in small.details["runs"]]
    assert seeds == [0, 1, 2]


def test_an_objective_that_no_run_reports_is_refused_before_the_first_trial(here):
    opened = studies.start(write(here, objectives={"val/acuracy": "maximize"}), [], runs_dir="runs")
    with opened.store, pytest.raises(RecipeError, match="no run reports `val/acuracy`") as caught:
        Tuning(opened, runs_dir="runs").run()
    assert "`val/accuracy`" in caught.value.fix
    assert caught.value.where.endswith("r.yaml:1: tune.objectives.val/acuracy")
    assert not list(Path("runs").glob("s-*"))


def test_check_knows_which_metrics_a_search_asks_for(place, capsys):
    stop = [{"name": "limit", "metric": "val/acc", "low": 0.5}]
    constraints = {"val/auroc": {"low": 0.9}}
    path = write(place, objectives={"val/acuracy": "maximize"}, stop=stop, constraints=constraints)
    assert main(["check", str(path)]) == 2
    said = capsys.readouterr().err
    for name, where in (("val/acuracy", "objectives"), ("val/acc", "stop"), ("val/auroc", "constraints")):
        assert f"no run reports `{name}`" in said and f"r.yaml:1: tune.{where}" in said
    # The study is not bound to what was refused.
    assert main(["tune", str(path), "--trials", "1"]) == 2
    with studies.start(write(place), [], runs_dir="runs") as opened:
        assert list(opened.tune.objectives) == ["val/accuracy"]


def test_a_paused_run_that_was_finished_by_hand_counts(here):
    write(
        here,
        search="grid",
        space={"train.optimizer.lr": {"choices": [1e-6, 1e-5, 1e-2]}},
        stop=["successive_halving"],
    )
    words = ["--train.steps", "null", "--train.epochs", "3", "--quiet"]
    assert tune("r.yaml", *words) == 0
    with studies.open_study("s", runs_dir="runs") as opened:
        paused = opened.store.trials()[0]
    assert paused.state is TrialState.PAUSED and main(["resume", paused.run, "--quiet"]) == 0
    assert tune("resume", "s", "--quiet") == 0
    with studies.open_study("s", runs_dir="runs") as opened:
        first = opened.store.trials()[0]
    assert first.state is TrialState.DONE and first.reused and first.run == paused.run


def test_a_recipe_without_the_section(place):
    with pytest.raises(RecipeError, match="does not say what to search"):
        studies.start("digits", [], runs_dir="runs")


def test_a_study_of_another_recipe_is_not_gone_on_with(place):
    with studies.start(write(place), [], runs_dir="runs") as opened:
        opened.study.next("me", 60)
    with pytest.raises(RunError, match="from another recipe") as caught:
        studies.start(write(place), ["train.seed=1"], runs_dir="runs")
    assert "train.seed is 0 there and 1 here" in caught.value.why
    with studies.start(write(place, trials=7), [], runs_dir="runs").store as store:
        assert store.study().limit == 7  # how long it is searched may change


def test_a_trial_keeps_its_threads_whoever_goes_on_with_it(here, capfd):
    """A process that had a share of one thread is gone before its run was begun."""
    cores = usable_cores()
    path = write(here, search="grid", space={"train.optimizer.lr": {"choices": [0.001, 0.01]}})
    with studies.start(path, ["train.threads=null"], runs_dir="runs") as opened:
        opened.study.next("gone", -1.0, threads=cores + 1)
    assert tune("resume", "s") == 0
    assert f"trials so far have {cores + 1} compute threads, new ones {cores}" in capfd.readouterr().err
    with studies.open_study("s", runs_dir="runs") as opened:
        trials = opened.store.trials()
    assert [trial.threads for trial in trials] == [cores + 1, cores]
    assert [RunDirectory(trial.run).record().pinned["threads"] for trial in trials] == [cores + 1, cores]


def test_check_refuses_what_the_search_cannot_search(place, capsys):
    two = {"val/accuracy": "maximize", "val/loss": "minimize"}
    ranges = {"train.optimizer.lr": {"low": 0.1, "high": 1.0}}
    refused = {
        "counted": write(place, search="grid", space=ranges, name="a"),
        "takes one objective": write(place / "b", search="cmaes", space=ranges, objectives=two, name="b"),
        "choices only": write(place / "c", search="cmaes", name="c"),
    }
    for words, path in refused.items():
        assert main(["check", str(path)]) == 2
        said = capsys.readouterr().err
        assert words in said and "r.yaml:1: tune." in said and "fix: " in said
    assert main(["check", str(write(place / "d", search="grid", name="d"))]) == 0
    assert "tune: grid over train.optimizer.lr, 3 points" in capsys.readouterr().out


def test_a_name_that_is_no_study(place):
    studies.start(write(place), [], runs_dir="runs").store.close()
    with pytest.raises(RunError, match="no such study") as caught:
        studies.open_study("runs/t.study", runs_dir="runs")
    assert caught.value.where == "runs/t.study"
    with pytest.raises(RunError, match="no such study") as caught:
        studies.open_study("t", runs_dir="runs")
    assert "s" in caught.value.fix


def test_ctrl_c_saves_and_the_study_goes_on(place):
    write(place, space={"train.optimizer.lr": {"choices": [0.001, 0.01]}}, search="grid")
    command = [sys.executable, "-m", "trainwright.cli", "tune", "r.yaml", "--train.steps", "250"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: any(place.glob("runs/s-*/metrics.jsonl")), child)
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 130, said
    assert "go on with: trainwright tune resume runs/s.study" in said
    with studies.open_study("s", runs_dir="runs").store as store:
        assert [trial.state for trial in store.trials()] == [TrialState.WAITING]
    assert tune("resume", "s", "--quiet") == 0
    with studies.open_study("s", runs_dir="runs").store as store:
        trials = store.trials()
    assert [trial.state for trial in trials] == [TrialState.DONE] * 2
    assert len(RunDirectory(trials[0].run).record().attempts) == 2


def wait_for(condition, child=None, seconds: float = 120.0) -> None:
    """Polls; fails where the process ends or the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert child is None or child.poll() is None, child.communicate()[0]
        time.sleep(0.02)


def test_a_paused_worker_loses_its_trial_and_writes_nothing(place):
    """SIGSTOP: no sign of life, so after the lease the trial is another process's."""
    write(place, search="grid")
    script = """
from trainwright.workflows import studies, tuning
from trainwright.workflows.tuning import Tuning
opened = studies.start("r.yaml", ["train.steps=150"], runs_dir="runs")
with opened.store:
    Tuning(opened, runs_dir="runs", lease=4.0, say=lambda line: print(line, flush=True)).run()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_for(lambda: any(place.glob("runs/s-*/metrics.jsonl")), child)
    paused = chaos_tune.workers_of(child.pid)[0]
    os.kill(paused, signal.SIGSTOP)
    said, _ = child.communicate(timeout=180)
    assert child.returncode == 0, said
    assert not Path(f"/proc/{paused}").exists()
    trials = chaos_tune.read_trials(place / "runs/s.study")
    assert [trial["state"] for trial in trials] == ["done"] * 3
    assert max(trial["token"] for trial in trials) == 2 and sum(trial["deaths"] for trial in trials) == 1
    assert said.count(" done (") == 3, said


def test_nothing_is_lost_and_nothing_done_twice_whatever_is_killed(place):
    spec = chaos_tune.recipe("chaos", chaos_tune.grid(6), epochs=1)
    chaos = chaos_tune.run_study(place / "grid", spec, jobs=2, kills=4, pause=(1.0, 4.0), seed=3)
    assert chaos_tune.faults(chaos, 6) == []
    assert chaos.kills.total() >= 2


def test_a_killed_search_ends_with_the_same_trials(place):
    spec = chaos_tune.recipe("same", chaos_tune.sequence(6), epochs=1)
    calm = chaos_tune.run_study(place / "calm", spec, jobs=1)
    killed = chaos_tune.run_study(place / "killed", spec, jobs=1, kills=3, pause=(1.0, 4.0), seed=5)
    assert chaos_tune.faults(killed, 6) == []
    assert chaos_tune.same_trials(calm, killed) == []
    assert killed.kills.total() >= 2


def test_two_commands_share_a_study_in_a_database(place, postgresql, capfd):
    """As two machines would: each trial is run once, by either, and every action reads the URL."""
    write(
        place, space={"train.optimizer.lr": {"choices": [1e-4, 1e-3, 1e-2, 1e-1]}}, search="grid", name="pg"
    )
    words = [sys.executable, "-m", "trainwright.cli", "tune", "r.yaml", "--study", postgresql]
    both = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)
    ]
    said = [child.communicate(timeout=300)[0] for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    assert "".join(said).count(" done (") == 4, said
    study = f"{postgresql}#pg"
    assert tune("show", study, "--json") == 0
    trials = json.loads(capfd.readouterr().out)
    assert [trial["state"] for trial in trials] == ["done"] * 4
    assert sorted(trial["ended"] for trial in trials) == [1, 2, 3, 4]
    assert tune("export", study, "-o", "best.yaml") == 0
    assert (
        tune("report", study, "-o", "study.html") == 0
        and "point 4 of the grid" in Path("study.html").read_text()
    )
    assert tune("merge", study, "-o", "file.study") == 0
    with studies.open_study("file.study", runs_dir="runs").store as store:
        assert [list(trial.values) for trial in store.trials()] == [
            list(t["values"].values()) for t in trials
        ]


def test_the_time_is_a_limit(place):
    """What runs then is saved and waits; nothing new is begun."""
    write(place, search="random", trials=50)
    opened = studies.start("r.yaml", ["train.steps=100000"], runs_dir="runs")
    with opened.store as store:
        result = Tuning(opened, runs_dir="runs", seconds=8.0).run()
        states = [trial.state for trial in store.trials()]
    assert not result.finished and result.reason == "the time is over"
    assert states == [TrialState.WAITING]
