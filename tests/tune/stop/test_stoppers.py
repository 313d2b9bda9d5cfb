"""Rules of early stopping on curves that are drawn by hand."""

from __future__ import annotations

import math

import pytest

from trainwright import registry
from trainwright.errors import RecipeError
from trainwright.tune.curve import Report

ACCURACY = {"val/accuracy": "maximize"}
LOSS = {"val/loss": "minimize"}
TWO = {"val/accuracy": "maximize", "model/parameters": "minimize"}


def stopper(name: str, objectives=ACCURACY, epochs=9.0, **parameters):
    return registry.build("stopper", {"name": name, **parameters}, objectives=objectives, epochs=epochs)


def curve(*values: float, metric: str = "val/accuracy", **fixed: float):
    more = {name.replace("_", "/"): value for name, value in fixed.items()}
    return tuple(Report(epoch, epoch, {metric: v, **more}) for epoch, v in enumerate(values, start=1))


@pytest.mark.parametrize(("mine", "stops"), [(0.59, True), (0.6, False), (0.7, False)])
def test_median_of_the_others_at_the_same_epoch(mine, stops):
    """At epoch 2 their best are 0.5, 0.6, 0.9; what comes later does not count."""
    curves = {0: curve(0.5, 0.4, 0.99), 1: curve(0.1, 0.6), 2: curve(0.9, 0.1), 3: curve(0.1, mine)}
    verdict = stopper("median", startup=3).judge(3, curves, {0})
    assert (verdict is not None) == stops
    if verdict:
        assert verdict.action == "stop" and "0.59" in verdict.reason and "0.6," in verdict.reason


def test_median_waits_for_enough_trials_and_epochs():
    curves = {0: curve(0.5), 1: curve(0.5), 2: curve(0.1)}
    assert stopper("median", startup=3).judge(2, curves, ()) is None
    assert stopper("median", startup=2, after=2).judge(2, curves, ()) is None
    assert stopper("median", startup=2).judge(2, curves, ()) is not None


def test_median_of_what_is_minimized():
    curves = {0: curve(1.0, metric="val/loss"), 1: curve(2.0, metric="val/loss")}
    rule = stopper("median", LOSS, startup=1)
    assert rule.judge(1, curves, ()) is not None and rule.judge(0, curves, ()) is None


def test_a_limit_on_a_ratio():
    rule = stopper("limit", LOSS, metric="val/loss", over="train/loss", high=2.0)
    assert rule.metrics == ("val/loss", "train/loss")
    fine = {0: curve(1.0, metric="val/loss", train_loss=0.5)}
    assert rule.judge(0, fine, ()) is None
    over = rule.judge(0, {0: curve(1.2, metric="val/loss", train_loss=0.5)}, ())
    assert over is not None and over.reason == "limit: val/loss / train/loss is 2.4 at epoch 1, above 2"
    assert rule.judge(0, {0: curve(math.nan, metric="val/loss", train_loss=0.5)}, ()) is not None


def test_a_limit_that_is_none():
    with pytest.raises(RecipeError, match="needs `low`"):
        stopper("limit", metric="val/loss")
    with pytest.raises(RecipeError, match="no number is above"):
        stopper("limit", metric="val/loss", low=2.0, high=1.0)


def test_halving_lets_a_third_go_on():
    rule = stopper("successive_halving")
    curves = {}
    for number, value in enumerate([0.5, 0.6]):
        curves[number] = curve(value)
        assert rule.judge(number, curves, ()).action == "pause"
        assert rule.promoted(curves, {0, 1}, last=False) is None
    curves[2] = curve(0.4)
    assert rule.judge(2, curves, ()) is not None
    # Of three one goes on: the best of those that were paused.
    assert rule.promoted(curves, {0, 1, 2}, last=False) == 1
    curves[1] = curve(0.6, 0.7)
    assert rule.judge(1, curves, ()) is None  # epoch 2 is no rung
    assert rule.promoted(curves, {0, 2}, last=False) is None
    curves[3] = curve(0.9)
    assert rule.judge(3, curves, ()) is None  # among the best third of four at once


def test_halving_brings_the_best_to_its_end_when_nothing_else_comes():
    rule = stopper("successive_halving")
    curves = {0: curve(0.5), 1: curve(0.7)}
    assert rule.promoted(curves, {0, 1}, last=False) is None
    assert rule.promoted(curves, {0, 1}, last=True) == 1
    curves[1] = curve(0.7, 0.7, 0.7)
    assert rule.promoted(curves, {0, 1}, last=True) == 1  # the second rung
    curves[1] = curve(*[0.7] * 8)
    assert rule.promoted(curves, {0}, last=True) is None


def test_hyperband_deals_trials_to_brackets_as_the_paper_does():
    """Of 9 epochs and factor 3 the brackets have 9, 5 and 3 trials (Li et al., algorithm 1)."""
    rule = stopper("hyperband")
    dealt = [rule._bracket(number) for number in range(17)]
    assert [dealt.count(bracket) for bracket in range(3)] == [9, 5, 3]
    assert [rule._bracket(number + 17) for number in range(17)] == dealt
    curves = {number: curve(0.5) for number in range(17)}
    paused = {number for number in curves if rule.judge(number, curves, ()) is not None}
    bold = [number for number in curves if dealt[number] == 0]
    # Three of nine equal ones go on, the first; the other brackets judge at epoch 3 and 9.
    assert paused == set(bold[3:])


def test_hyperband_without_room():
    with pytest.raises(RecipeError, match="leave no room"):
        stopper("hyperband", epochs=2.0)
    with pytest.raises(RecipeError, match="how many epochs"):
        stopper("hyperband", epochs=None)


def front_curves():
    """Four that came to their end: at epoch 1 the later best is 0.1 behind."""
    return {
        0: curve(0.5, 0.9, model_parameters=100.0),
        1: curve(0.6, 0.8, model_parameters=100.0),
        2: curve(0.7, 0.95, model_parameters=200.0),
        3: curve(0.4, 0.5, model_parameters=50.0),
    }


@pytest.mark.parametrize(
    ("accuracy", "parameters", "stops"),
    [
        (0.49, 100.0, True),  # even with 0.1 more below the 0.6 of trial 1, which is no larger
        (0.51, 100.0, False),
        (0.3, 40.0, False),  # nothing is as small
        (0.59, 200.0, True),  # below the 0.7 of trial 2
        (0.49, 99.0, False),  # only trial 3 is smaller, and it has 0.4
    ],
)
def test_front_stops_what_is_dominated_with_what_it_may_make_up_for(accuracy, parameters, stops):
    curves = {**front_curves(), 4: curve(accuracy, model_parameters=parameters)}
    verdict = stopper("front", TWO, startup=4, confidence=1.0).judge(4, curves, {0, 1, 2, 3})
    assert (verdict is not None) == stops
    if verdict and parameters == 100.0:
        assert verdict.reason == (
            "front: dominated by trial 1 at epoch 1: val/accuracy 0.49 (at best 0.59) against 0.6, "
            "model/parameters 100 against 100"
        )


def test_front_waits_for_enough_ends():
    curves = {**front_curves(), 4: curve(0.1, model_parameters=300.0)}
    assert stopper("front", TWO, startup=5).judge(4, curves, {0, 1, 2, 3}) is None
    assert stopper("front", TWO, startup=4, after=2).judge(4, curves, {0, 1, 2, 3}) is None


def test_front_stops_nothing_while_no_ended_trial_told_every_objective():
    curves = {number: curve(0.5, 0.6) for number in range(4)}
    curves |= {4: curve(0.1, model_parameters=300.0), 5: curve(0.9, model_parameters=10.0)}
    assert stopper("front", TWO, startup=4).judge(4, curves, {0, 1, 2, 3}) is None


def test_rules_that_do_not_fit_the_objectives():
    with pytest.raises(RecipeError, match="looks at one metric"):
        stopper("median", TWO)
    with pytest.raises(RecipeError, match="which way"):
        stopper("median", TWO, metric="val/f1")
    with pytest.raises(RecipeError, match="there is one"):
        stopper("front")
    with pytest.raises(RecipeError, match="at the end of a run only"):
        stopper("front", {"val/loss": "minimize", "run/epochs_to_best": "minimize"})
    with pytest.raises(RecipeError, match="first rung"):
        stopper("successive_halving", epochs=1.0)
