"""The one loop: when it ends, what it records, and what it must not depend on."""

from __future__ import annotations

import math
from typing import Any

import pytest
import tiny_loops
import torch
from tiny_loops import EVERYTHING, bits

from trainwright.engine.loop import Diverged, Loop
from trainwright.engine.signals import StopRequest
from trainwright.tasks.base import StepOutput

PER_EPOCH = 6


def run(overrides: dict[str, Any] | None = None) -> Loop:
    loop = tiny_loops.loop(overrides)
    assert loop.run().state == "done"
    return loop


def series(loop: Loop, name: str) -> dict[int, float]:
    return loop.journal.series().get(name, {})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("budget", "steps", "closed"),
    [
        ({"train.epochs": 2}, 12, [6, 12]),
        ({"train.epochs": 1.5}, 9, [6, 9]),
        ({"train.epochs": None, "train.steps": 4}, 4, [4]),
        ({"train.epochs": 5, "train.steps": 13}, 13, [6, 12, 13]),
    ],
)
def test_the_budget_ends_it_with_an_evaluation(budget: dict[str, Any], steps: int, closed: list[int]) -> None:
    loop = run(budget)
    assert loop.position.step == steps
    assert list(series(loop, "val/loss")) == closed
    assert [step for step, _, _ in loop.writer.written] == closed  # type: ignore[union-attr]


def test_without_any_budget_it_is_ten_epochs() -> None:
    assert tiny_loops.loop({"train.epochs": None}).parts.budget.total_steps == 10 * PER_EPOCH


def test_evaluations_may_be_rarer_but_the_last_epoch_always_has_one() -> None:
    loop = run({"train.epochs": 5, "train.evaluate_every": 2})
    assert list(series(loop, "val/loss")) == [12, 24, 30]
    assert list(series(loop, "train/loss")) == [6, 12, 18, 24, 30]


def test_minutes_end_it_at_a_step_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = tiny_loops.loop({"train.epochs": None, "train.minutes": 1.0})
    seconds = iter(range(0, 1000, 9))
    monkeypatch.setattr(type(loop.clock), "seconds", property(lambda _: float(next(seconds))))
    outcome = loop.run()
    assert outcome.state == "done"
    assert "1 minutes used up at step" in outcome.reason
    assert 0 < outcome.step < PER_EPOCH + 1
    assert list(series(loop, "val/loss")) == [outcome.step]


def test_patience_ends_it() -> None:
    loop = tiny_loops.loop(
        {"train.epochs": 50, "train.optimizer.lr": 1e-12, "train.early_stop": {"patience": 3}}
    )
    outcome = loop.run()
    assert (outcome.state, outcome.epoch) == ("done", 4)
    assert "val/accuracy has not improved for 3 evaluations" in outcome.reason


@pytest.mark.parametrize("asked_at", [0, 3, PER_EPOCH - 1])
def test_a_wish_to_stop_saves_after_the_present_step(asked_at: int) -> None:
    stop = StopRequest()
    loop = tiny_loops.loop(stop=stop)
    real = loop._step

    def step(*given: Any) -> None:
        if loop.position.step == asked_at:
            stop.signal = 2
        real(*given)

    loop._step = step  # type: ignore[method-assign]
    outcome = loop.run()
    assert (outcome.state, outcome.step) == ("interrupted", asked_at + 1)
    assert [item[0] for item in loop.writer.written] == [asked_at + 1]  # type: ignore[union-attr]
    assert loop.writer.tree(asked_at + 1)["position"]["index"] == asked_at + 1  # type: ignore[union-attr]


@pytest.mark.parametrize("total", [PER_EPOCH, 9])
def test_a_kill_between_the_last_step_and_its_evaluation_does_not_lose_it(total: int) -> None:
    budget = {"train.epochs": None, "train.steps": total, "train.checkpoint.every_steps": 1}
    whole = run(budget)
    resumed = tiny_loops.loop(budget)
    resumed.state.restore(whole.writer.tree(total, closed=False))  # type: ignore[union-attr]
    outcome = resumed.run()
    assert (outcome.state, outcome.step) == ("done", total)
    assert series(resumed, "val/loss") == {total: series(whole, "val/loss")[total]}
    assert bits(resumed.state.tree()) == bits(whole.state.tree())


def test_the_best_weights_are_the_averaged_ones_of_the_best_evaluation() -> None:
    loop = tiny_loops.loop({**EVERYTHING, "train.checkpoint": {"monitor": "val/loss"}, "train.epochs": 4})
    seen: dict[int, bytes] = {}
    real = loop._score

    def score() -> dict[str, float]:
        seen[loop.position.step] = bits(loop.parts.model.state_dict())
        return real()

    loop._score = score  # type: ignore[method-assign]
    loop.run()
    losses = series(loop, "val/loss")
    lowest, rising = math.inf, []
    for step, loss in losses.items():
        if loss < lowest:
            lowest = loss
            rising.append(step)
    kept = loop.writer.best  # type: ignore[union-attr]
    assert list(kept) == rising
    assert all(seen[step] == kept[step] for step in kept)
    with loop.parts.ema.applied():  # type: ignore[union-attr]
        assert bits(loop.parts.model.state_dict()) == seen[loop.position.step]
    assert bits(loop.parts.model.state_dict()) != seen[loop.position.step]


def test_neither_saving_nor_logging_nor_evaluating_more_often_changes_a_bit() -> None:
    plain = run({**EVERYTHING, "train.log_every": 50})
    busy = run({**EVERYTHING, "train.log_every": 1, "train.checkpoint.every_steps": 1})
    assert bits(plain.state.tree()) == bits(busy.state.tree())
    for name in ("train/loss", "train/accuracy", "val/loss", "lr"):
        assert series(plain, name) == series(busy, name)
    rare = run({**EVERYTHING, "train.evaluate_every": 3})
    assert bits(rare.parts.model.state_dict()) == bits(plain.parts.model.state_dict())


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    runs = [run({**EVERYTHING, "train.seed": seed, "train.epochs": 1}) for seed in (0, 0, 1)]
    states = [bits(loop.state.tree()) for loop in runs]
    assert states[0] == states[1] != states[2]


def test_records_are_means_over_samples() -> None:
    loop = tiny_loops.loop({"train.epochs": 1, "train.log_every": 4, "train.micro_batch": 10})
    each: list[list[float]] = []
    real = loop.parts.task.training_step

    def step(*given: Any) -> StepOutput:
        output = real(*given)
        each.append(output.loss.detach().double().tolist())
        return output

    loop.parts.task.training_step = step  # type: ignore[method-assign]
    loop.run()
    flat = [value for values in each for value in values]
    samples = len(loop.parts.train_loader.rows)
    assert len(flat) == samples < PER_EPOCH * 32
    expected = {4: flat[: 4 * 32], 6: flat[4 * 32 :]}
    for step_number, values in expected.items():
        assert series(loop, "step/loss")[step_number] == pytest.approx(sum(values) / len(values), rel=1e-6)
    assert series(loop, "train/loss") == {6: pytest.approx(sum(flat) / samples, rel=1e-6)}


def test_micro_batches_take_the_same_step_as_the_whole_batch() -> None:
    plain = {"model": {"name": "mlp", "hidden": [12]}, "train.optimizer": {"name": "sgd", "lr": 0.1}}
    whole, cut = run(plain), run({**plain, "train.micro_batch": 5})
    for left, right in zip(whole.parts.model.parameters(), cut.parts.model.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-6)


def test_a_divergence_is_told_with_step_and_way_out_and_never_saved_as_best() -> None:
    loop = tiny_loops.loop({"train.optimizer": {"name": "sgd", "lr": 1e38}, "train.epochs": 50})
    with pytest.raises(Diverged, match=r"step/loss became (nan|inf) at step \d+") as caught:
        loop.run()
    assert "train.optimizer.lr" in caught.value.fix
    best = loop.parts.best
    assert best is not None
    assert best.best is None or math.isfinite(best.best)


def test_frozen_parameters_stay() -> None:
    loop = tiny_loops.loop({"train.freeze": ["fc1.*"], "train.epochs": 1})
    before = {name: p.detach().clone() for name, p in loop.parts.model.named_parameters()}
    loop.run()
    changed = {name for name, p in loop.parts.model.named_parameters() if not p.equal(before[name])}
    assert changed == {"head.weight", "head.bias"}
