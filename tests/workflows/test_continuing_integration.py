"""Children of runs: the same bits as one long training, other values, other data, and the lineage of all."""

from __future__ import annotations

import numpy as np
import pytest

from trainwright.cli.entry import run_command
from trainwright.errors import RunError
from trainwright.models.weights import load_weights
from trainwright.report.charts import Rule
from trainwright.report.curves import learning_curves
from trainwright.runs.directory import RunDirectory
from trainwright.runs.lineage import ancestors, lineage, origin_of, parent_of
from trainwright.runs.merging import merge
from trainwright.workflows.continuing import continue_run
from trainwright.workflows.training import resume, train

_GENERATOR = np.random.default_rng(0)
_CENTRES = _GENERATOR.normal(size=(3, 4)) * 3


def points(seed, classes=3, rows=120):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    return _CENTRES[labels] + generator.normal(size=(rows, 4)), np.array(["a", "b", "c"])[labels]


DATA = points(1)
RECIPE = {
    "name": "points",
    "data": {
        "source": "arrays",
        "inputs": {"x": {"type": "number"}},
        "targets": {"y": {"type": "category"}},
        "split": {"val": 0.2},
    },
    "model": {"name": "mlp", "hidden": [8]},
    "train": {
        "epochs": 2,
        "batch_size": 16,
        "threads": 1,
        "precision": "fp32",
        "memory_format": "contiguous",
        "schedule": "constant",
        "optimizer": {"name": "adam", "lr": 0.01},
    },
    "report": {"enabled": False},
}


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    return train(RECIPE, data=DATA, runs_dir=tmp_path_factory.mktemp("runs") / "runs").path


def weights(path, name="last"):
    return load_weights(path / "weights" / f"{name}.safetensors")


def equal(left, right):
    return left.keys() == right.keys() and all((left[key] == right[key]).all() for key in left)


def test_a_child_that_only_trains_longer_ends_with_the_bits_of_one_long_training(parent, tmp_path):
    child = continue_run(parent, {"train.epochs": 5}, data=DATA)
    whole = train(RECIPE, {"train.epochs": 5}, data=DATA, runs_dir=tmp_path)
    assert equal(weights(child.path), weights(whole.path))
    assert not equal(weights(child.path), weights(parent))
    run = RunDirectory(child.path)
    record, origin = run.record(), origin_of(run.record())
    assert (origin.run, origin.step, origin.optimizer, origin.checkpoint) == (parent.name, 12, "kept", "last")
    assert [str(change) for change in origin.changes] == ["train.epochs: 2.0 -> 5.0"]
    assert record.attempts[0].from_step == 12 and record.progress["step"] == 30
    assert min(step for step, _ in run.metrics()["train/loss"]) == 18  # the epochs before are the parent's
    assert not run.origin.exists()


def test_another_optimizer_state_is_another_run_with_other_weights(parent):
    kept = continue_run(parent, {"train.epochs": 3}, data=DATA)
    reset = continue_run(parent, {"train.epochs": 3}, data=DATA, reset_optimizer=True)
    again = continue_run(parent, {"train.epochs": 3}, data=DATA)
    assert kept.path != reset.path and not equal(weights(kept.path), weights(reset.path))
    assert again.repeated and again.path == kept.path


def test_rates_are_the_childs_and_moments_the_parents(parent):
    still = continue_run(parent, {"train.epochs": 3, "train.optimizer.lr": 1e-30}, data=DATA)
    assert equal(weights(still.path), weights(parent))
    momentum = continue_run(parent, {"train.steps": 13, "train.epochs": None}, data=DATA)
    fresh = continue_run(parent, {"train.steps": 13, "train.epochs": None}, data=DATA, reset_optimizer=True)
    assert not equal(weights(momentum.path), weights(fresh.path))


def test_other_batches_count_on_by_epochs(parent):
    child = RunDirectory(continue_run(parent, {"train.epochs": 4, "train.batch_size": 32}, data=DATA).path)
    per_epoch = -(-child.record().data["sizes"]["train"] // 32)
    assert child.record().progress["step"] == 4 * per_epoch
    assert child.record().attempts[0].from_step == 2 * per_epoch
    assert [step for step, _ in child.metrics()["train/loss"]] == [3 * per_epoch, 4 * per_epoch]


def test_other_data_keep_the_parents_classes_and_normalisation(parent):
    fewer = points(7, classes=2)  # no `c` among them
    child = RunDirectory(continue_run(parent, {"train.epochs": 3}, data=fewer).path)
    assert child.processors.read_bytes() == RunDirectory(parent).processors.read_bytes()
    assert child.record().data["fingerprint"] != RunDirectory(parent).record().data["fingerprint"]


def test_the_best_weights_are_a_beginning_too(parent):
    child = continue_run(parent, {"train.epochs": 3, "train.optimizer.lr": 1e-30}, from_="best", data=DATA)
    assert equal(weights(child.path), weights(parent, "best"))


def test_a_child_killed_before_its_first_checkpoint_begins_with_its_parent_again(parent, monkeypatch):
    from trainwright.engine.loop import Loop

    def stop(self, *_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_step", stop)
        with pytest.raises(KeyboardInterrupt):
            continue_run(parent, {"train.epochs": 4}, data=DATA)
    children = [branch.run for branch in lineage(RunDirectory(parent), parent.parent)]
    [cut] = [run for run in children if run.state() == "interrupted"]
    assert cut.newest_checkpoint() is None and cut.origin.is_dir()
    resumed = resume(cut.path, data=DATA)
    assert resumed.state == "done"
    whole = train(RECIPE, {"train.epochs": 4}, data=DATA, runs_dir=parent.parent / "whole")
    assert equal(weights(resumed.path), weights(whole.path))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({}, ("2 epochs", "train.epochs=3")),
        ({"train.epochs": 3, "train.steps": 4}, ("recipe asks for 4", "train.steps=")),
        ({"train.epochs": 3, "model.hidden": [9]}, ("do not fit the model", "init.path=")),
        ({"train.epochs": 3, "train.optimizer": "rmsprop"}, ("optimizer's state", "--reset-optimizer")),
    ],
)
def test_what_cannot_be_continued_is_refused_and_leaves_nothing(parent, overrides, words):
    before = sorted(parent.parent.iterdir())
    with pytest.raises(RunError) as refused:
        continue_run(parent, overrides, data=DATA)
    assert all(word in str(refused.value) for word in words)
    assert sorted(parent.parent.iterdir()) == before


def test_which_weights_do_not_fit_is_told_before_data_are_read(parent):
    with pytest.raises(RunError) as refused:
        continue_run(parent, {"train.epochs": 3, "model.hidden": [9]}, data=object())
    known = weights(parent)
    misfits = [name for name, value in known.items() if 8 in value.shape]
    assert misfits and all(
        f"{name}: {list(known[name].shape)} in the run" in refused.value.why for name in misfits
    )
    assert "model.hidden=[9] init.path=" in refused.value.fix.replace("'", "")
    with pytest.raises(RunError, match="do not fit the model") as refused:
        continue_run(parent, {"train.epochs": 3, "model.hidden": [8, 8]}, data=object())
    assert "missing in the run: " in refused.value.why


def test_the_way_on_that_is_advised_is_one(parent, tmp_path):
    with pytest.raises(RunError) as refused:
        continue_run(parent, {"train.epochs": 3, "model.hidden": [8, 8]}, data=DATA)
    words = refused.value.fix.partition("`trainwright train ")[2].partition("`")[0].replace("'", "")
    recipe, *overrides = words.replace("[8, 8]", "[8,8]").split()
    assert train(recipe, overrides, data=DATA, runs_dir=tmp_path / "runs").state == "done"


def test_a_fork_of_three_generations_is_shown_in_order(tmp_path, capsys):
    runs = tmp_path / "runs"
    first = train(RECIPE, {"train.epochs": 1}, data=DATA, runs_dir=runs).path
    second = continue_run(first, {"train.epochs": 2}, data=DATA).path
    third = continue_run(second, {"train.epochs": 3}, data=DATA).path
    fork = continue_run(first, {"train.epochs": 2, "train.optimizer.lr": 0.02}, data=DATA).path
    expected = [(first.name, 0), (second.name, 1), (third.name, 2), (fork.name, 1)]
    for asked in (first, third, fork):
        found = lineage(RunDirectory(asked), runs)
        assert [(branch.run.id, branch.depth) for branch in found] == expected
    assert [run.id for run in ancestors(RunDirectory(third))] == [first.name, second.name, third.name]
    assert run_command(["runs", "lineage", str(fork), "--runs-dir", str(runs)]) == 0
    told = capsys.readouterr().out
    assert told.index(first.name) < told.index(second.name) < told.index(third.name) < told.index(fork.name)
    assert "train.optimizer.lr: 0.01 -> 0.02" in told
    moved = tmp_path / "elsewhere"
    runs.rename(moved)
    assert parent_of(RunDirectory(moved / third.name)).id == second.name
    (moved / second.name).rename(tmp_path / "gone")
    with pytest.raises(RunError, match="is gone"):
        ancestors(RunDirectory(moved / third.name))


def test_a_chain_is_merged_into_one_run_with_joined_curves(tmp_path):
    first = train(RECIPE, {"train.epochs": 3}, data=DATA, runs_dir=tmp_path).path
    second = continue_run(first, {"train.epochs": 5, "train.batch_size": 32}, data=DATA).path
    third = continue_run(second, {"train.epochs": 6}, data=DATA).path
    merged, there = merge(RunDirectory(third), tmp_path)
    again, there_now = merge(RunDirectory(third), tmp_path)
    assert (there, there_now) == (False, True) and again.path == merged.path
    parts = [RunDirectory(path).metrics() for path in (first, second, third)]
    # 96 rows: three epochs of 6 batches, then two and one of 3, whose own count goes on from 3 * 3.
    expected = {"train/loss": [6, 12, 18, 21, 24, 27], "val/loss": [6, 12, 18, 21, 24, 27]}
    for name, steps in expected.items():
        assert [step for step, _ in merged.metrics()[name]] == steps
        assert [v for _, v in merged.metrics()[name]] == [v for part in parts for _, v in part[name]]
    record = merged.record()
    assert record.merged == [
        {"run": first.name, "from_step": 0},
        {"run": second.name, "from_step": 18},
        {"run": third.name, "from_step": 24},
    ]
    assert record.progress["step"] == 27 and merged.state() == "done"
    assert equal(weights(merged.path), weights(third))
    assert [rule.at for rule in rules_of(merged) if rule.label == "continued"] == [18, 24]
    with pytest.raises(RunError, match="no state of a training"):
        continue_run(merged.path, {"train.epochs": 7}, data=DATA)
    with pytest.raises(RunError, match="nothing to merge"):
        merge(RunDirectory(first), tmp_path)


def rules_of(run):
    [loss, *_] = learning_curves(run.metrics(), run.record())
    return [mark for mark in loss.marks if isinstance(mark, Rule)]
