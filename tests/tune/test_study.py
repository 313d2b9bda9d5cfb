"""A study with early stopping, run to its end without a training: every trial has a curve given to it."""

from __future__ import annotations

import pytest

from trainwright import registry
from trainwright.recipe.space import Space, Variable
from trainwright.tune.constraints import Constraint, WithinConstraints, nearest
from trainwright.tune.curve import Report
from trainwright.tune.store import Store
from trainwright.tune.study import Study, best
from trainwright.tune.trial import Trial, TrialState

EPOCHS = 9
OBJECTIVES = {"val/accuracy": "maximize"}
SPACE = Space((Variable("x", low=0.0, high=1.0),))


def make(store: Store, search: str = "random", limit: int = 9, rule: str = "successive_halving") -> Study:
    given = {"objectives": OBJECTIVES, "epochs": float(EPOCHS)}
    stoppers = [registry.build("stopper", rule, **given)]
    found = registry.build("search", search, space=SPACE, directions=OBJECTIVES, seed=1)
    return Study(store, found, limit, stoppers)


def accuracy(x: float, epoch: int) -> float:
    return x * (1 - 0.5**epoch)


def run(study: Study, store: Store, *, stop_after: int | None = None) -> list[int]:
    """Works like a coordinator with one job; gives the epochs that were trained, by trial."""
    trained: list[int] = []
    while (trial := study.next("me", 60.0)) is not None:
        begun = trial.epochs or 0
        curve = list(store.curves().get(trial.number, ()))
        state, reason = TrialState.DONE, ""
        if begun and (verdict := study.judge(trial.number, begun)):
            raise AssertionError(f"paused again where it was let go on: {verdict}")
        for epoch in range(begun + 1, EPOCHS + 1):
            trained.append(trial.number)
            report = Report(epoch, epoch, {"val/accuracy": accuracy(trial.point["x"], epoch)})
            curve.append(report)
            assert store.report(trial.number, trial.token, report)
            verdict = study.judge(trial.number, epoch) if epoch < EPOCHS else None
            assert verdict == (study.judge(trial.number, epoch) if epoch < EPOCHS else None)
            if verdict is not None:
                state = TrialState.PAUSED if verdict.action == "pause" else TrialState.STOPPED
                reason = verdict.reason
                break
        value = curve[-1].values["val/accuracy"]
        assert store.finish(trial.number, trial.token, state, [value], reason=reason, curve=curve)
        if stop_after is not None and len(trained) >= stop_after:
            break
    return trained


@pytest.mark.parametrize("search", ["random", "tpe"])
def test_halving_trains_few_epochs_and_finds_the_best(tmp_path, search):
    if search == "tpe":
        pytest.importorskip("optuna")
    with Store(tmp_path / "a.study", "a") as store:
        store.create({}, 9)
        study = make(store, search)
        trained = run(study, store)
        assert study.finished()
        trials = store.trials()
    done = [trial for trial in trials if trial.state is TrialState.DONE]
    # Nine at epoch 1, three or a few more (those that were best when they came) at 3, the best at 9.
    assert 9 + 2 * 3 + 6 <= len(trained) <= 50 < 9 * EPOCHS
    assert max(trial.point["x"] for trial in trials) in [trial.point["x"] for trial in done]
    assert all(trial.reason for trial in trials if trial.state is TrialState.PAUSED)


def test_a_study_that_is_opened_again_goes_on_the_same(tmp_path):
    """What is judged and let go on is read from the study alone."""
    results = []
    for name, pieces in (("whole", [None]), ("pieces", [3, 2, 5, None])):
        for piece in pieces:
            with Store(tmp_path / f"{name}.study", name) as store:
                store.create({}, 9)
                run(make(store), store, stop_after=piece)
                trials = store.trials()
        results.append([(t.number, t.point, t.state, t.values, t.ended, t.epochs) for t in trials])
    assert results[0] == results[1]


class Given:
    """Points as they are given."""

    size = None

    def ask(self, number, history):
        return {"x": [0.9, 0.8, 0.7, *[0.1] * 6][number]}


def test_more_trials_make_room_for_paused_ones(tmp_path):
    """Of three one comes to epoch 3, of nine three."""
    rule = registry.build("stopper", "successive_halving", objectives=OBJECTIVES, epochs=9.0)
    with Store(tmp_path / "a.study", "a") as store:
        store.create({}, 3)
        run(Study(store, Given(), 3, [rule]), store)
        assert [trial.epochs for trial in store.trials()] == [9, 1, 1]
        run(Study(store, Given(), 9, [rule]), store)
        assert [trial.epochs for trial in store.trials()] == [9, 3, 3, 1, 1, 1, 1, 1, 1]


def test_median_stops_for_good(tmp_path):
    with Store(tmp_path / "a.study", "a") as store:
        store.create({}, 12)
        study = make(store, limit=12, rule="median")
        trained = run(study, store)
        assert study.finished()
        trials = store.trials()
    stopped = [trial for trial in trials if trial.state is TrialState.STOPPED]
    assert stopped and len(trained) == sum(trial.epochs for trial in trials)
    assert all(trial.number >= 5 and "median of" in trial.reason for trial in stopped)


def trial(number: int, value: float, size: float | None) -> Trial:
    details = {} if size is None else {"constraints": {"model/bytes": size}}
    return Trial(number, {}, TrialState.DONE, (value,), details=details)


def test_what_breaks_a_constraint_is_never_the_best():
    limit = [Constraint("model/bytes", high=100)]
    trials = [trial(0, 0.9, 101), trial(1, 0.8, 100), trial(2, 0.7, 50), trial(3, 0.95, None)]
    assert [t.number for t in best(trials, ["maximize"], limit)] == [1]


def test_the_nearest_to_the_limits_breaks_the_fewest_and_the_least():
    limits = [Constraint("model/bytes", high=100), Constraint("val/accuracy", low=0.5)]
    both = Trial(
        0, {}, TrialState.DONE, (1.0,), details={"constraints": {"model/bytes": 101, "val/accuracy": 0.49}}
    )
    one = Trial(
        1, {}, TrialState.DONE, (1.0,), details={"constraints": {"model/bytes": 300, "val/accuracy": 0.5}}
    )
    less = Trial(
        2, {}, TrialState.DONE, (1.0,), details={"constraints": {"model/bytes": 90, "val/accuracy": 0.2}}
    )
    assert nearest([both, one, less], limits) == (less, "val/accuracy 0.2 is below 0.5")
    assert nearest([both, one], limits) == (one, "model/bytes 300 is above 100")


def test_a_model_that_is_too_large_is_not_trained_on():
    rule = WithinConstraints([Constraint("model/bytes", high=100), Constraint("val/accuracy", low=0.5)])
    assert rule.metrics == ("model/bytes",)  # the accuracy is known at the end only
    curves = {0: (Report(1, 1, {"model/bytes": 120.0, "val/accuracy": 0.1}),)}
    verdict = rule.judge(0, curves, ())
    assert verdict is not None and verdict.reason == "constraint: model/bytes 120 is above 100"
    assert rule.judge(0, {0: (Report(1, 1, {"model/bytes": 100.0}),)}, ()) is None
