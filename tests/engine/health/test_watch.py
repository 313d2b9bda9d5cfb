"""A training records its health, tells of it and ends by it; and being watched does not disturb it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import tiny_loops
import torch
from tiny_loops import bits
from torch import nn

from trainwright.engine.health.gradients import GradientNorms, layer_groups
from trainwright.engine.health.watch import Finding
from trainwright.engine.loop import Loop
from trainwright.tasks.base import StepOutput

ADVERSARIAL: dict[str, Any] = {
    "task": {"name": "adversarial", "generator_optimizer": {"name": "adam", "lr": 0.002}},
    "data.targets": {},
    "model": {"name": "adversary", "latent": 3, "hidden": 5},
}


def run(overrides: dict[str, Any], before: Any = None) -> tuple[Loop, list[Finding]]:
    """A training to its end, with what was found in it."""
    loop = tiny_loops.loop(overrides)
    found: list[Finding] = []
    loop.on_finding = found.append
    if before is not None:
        before(loop)
    assert loop.run().state == "done"
    return loop, found


def series(loop: Loop) -> dict[str, dict[int, float]]:
    return loop.journal.series()  # type: ignore[attr-defined, no-any-return]


def test_norms_are_those_of_the_gradients_before_clipping() -> None:
    seen: dict[int, float] = {}

    def before(loop: Loop) -> None:
        """Notes the norm of all gradients of every step."""
        runner = loop.parts.runners[0]
        real = runner.apply

        def apply(step: int, **given: Any) -> None:
            """Sums squares before the gradients are clipped and used."""
            squares = [float(p.grad.double().square().sum()) for p in runner.parameters if p.grad is not None]
            seen[step + 1] = math.sqrt(sum(squares))
            real(step, **given)

        runner.apply = apply  # type: ignore[method-assign]

    loop, _ = run({"train.health.every": 4, "train.clip.norm": 1e-3}, before)
    recorded = series(loop)["grad/total"]
    assert list(recorded) == [4, 8, 12, 16]
    assert recorded == pytest.approx({step: seen[step] for step in recorded}, rel=1e-5)
    groups = [name for name in series(loop) if name.startswith("grad/") and name != "grad/total"]
    assert len(groups) > 1
    for step, total in recorded.items():
        assert math.sqrt(sum(series(loop)[name][step] ** 2 for name in groups)) == pytest.approx(total)


def test_being_watched_changes_no_bit() -> None:
    rules = ("diverging", "exploding", "vanishing", "dead_units", "plateau")
    off = dict.fromkeys(rules, "ignore")
    blind, _ = run({"train.health": off})
    busy, _ = run({"train.health": {"every": 1}})
    first, second = ({k: v for k, v in loop.state.tree().items() if k != "health"} for loop in (blind, busy))
    assert bits(first) == bits(second)
    assert not [name for name in series(blind) if name.startswith("grad/")]


def test_phases_have_norms_of_their_own() -> None:
    loop, _ = run({**ADVERSARIAL, "train.health.every": 3})
    phases = [runner.phase.name for runner in loop.parts.runners]
    assert len(phases) == 2
    for phase in phases:
        assert list(series(loop)[f"grad/{phase}/total"]) == [3, 6, 9, 12, 15, 18]


def test_a_phase_that_rests_is_read_at_its_last_turn() -> None:
    loop = tiny_loops.loop({**ADVERSARIAL, "train.health.every": 8})
    health = loop.parts.health
    assert health is not None
    first, second = (runner.phase.name for runner in loop.parts.runners)
    health._pace[second] = 3
    assert [step for step in range(16) if health.wants_norms(first, step)] == [7, 15]
    assert [step for step in range(0, 16, 3) if health.wants_norms(second, step)] == [6, 15]


def rising_loss(loop: Loop) -> None:
    """What the loop sees of the loss grows with every step, whatever the weights do."""
    real = loop.parts.task.training_step

    def step(*given: Any) -> StepOutput:
        """The task's own step, with a loss that is larger."""
        output = real(*given)
        output.loss = output.loss + 0.2 * loop.position.step
        return output

    loop.parts.task.training_step = step  # type: ignore[method-assign]


def test_a_rising_loss_is_told_once() -> None:
    _, found = run({"train.epochs": 8, "train.health": {"every": 1}}, rising_loss)
    rising = [item for item in found if item.rule == "diverging"]
    assert [item.policy for item in rising] == ["warn"]
    assert "the training loss rises" in rising[0].text


def test_stop_ends_it_after_the_step_with_an_evaluation() -> None:
    given = {"train.epochs": 8, "train.health": {"every": 1, "diverging": "stop"}}
    loop, found = run(given, rising_loss)
    (finding,) = (item for item in found if item.rule == "diverging")
    assert loop.position.step == finding.step < 48
    assert finding.step in series(loop)["val/loss"]
    assert loop._end_reason() == finding.text


def test_a_stop_survives_a_kill_right_after_it() -> None:
    given = {
        "train.epochs": 8,
        "train.health": {"every": 1, "diverging": "stop"},
        "train.checkpoint.every_steps": 1,
    }
    whole, found = run(given, rising_loss)
    step = next(item.step for item in found if item.rule == "diverging")
    resumed = tiny_loops.loop(given)
    resumed.state.restore(whole.writer.tree(step, closed=False))  # type: ignore[union-attr]
    resumed.run()
    assert bits(resumed.state.tree()) == bits(whole.state.tree())


def test_dead_units_of_a_layer_are_named() -> None:
    def kill(loop: Loop) -> None:
        """Nine of the twelve hidden units never get above zero."""
        first = next(part for part in loop.parts.model.modules() if isinstance(part, nn.Linear))
        with torch.no_grad():
            first.bias[:9] = -1e4

    _, found = run({"train.optimizer": {"name": "sgd", "lr": 1e-6}}, kill)
    (dead,) = (item for item in found if item.rule == "dead_units")
    assert "75% of the units of" in dead.text
    assert dead.step == 6


def test_a_loss_that_stands_still_is_told_after_six_epochs() -> None:
    still = {"train.optimizer": {"name": "sgd", "lr": 1e-12}, "train.epochs": 7}
    _, found = run({**still, "model": {"name": "mlp", "hidden": [12]}})
    (plateau,) = (item for item in found if item.rule == "plateau")
    assert plateau.step == 36


def test_losses_are_means_between_readings_also_across_epochs() -> None:
    # An epoch has six steps: readings at 4, 8, 12, 16 take 4, 2, 4, 4 steps of their own epochs.
    loop = tiny_loops.loop({"train.health.every": 4, "train.log_every": 1})
    loop.run()
    health = loop.parts.health
    assert health is not None
    each = series(loop)["step/loss"]
    sizes = {step: 20 if step % 6 == 0 else 32 for step in each}

    def mean(*steps: int) -> float:
        """Mean over the samples of some steps."""
        return sum(each[s] * sizes[s] for s in steps) / sum(sizes[s] for s in steps)

    expected = [mean(1, 2, 3, 4), mean(7, 8), mean(9, 10, 11, 12), mean(13, 14, 15, 16)]
    assert health.state_dict()["losses"] == pytest.approx(expected)


def test_groups_are_as_deep_as_gives_a_few() -> None:
    assert layer_groups(["a.weight", "a.bias", "b.weight", "c.weight"]) == ["a", "a", "b", "c"]
    names = [f"body.{i}.conv.weight" for i in range(4)]
    assert layer_groups(names) == [f"body.{i}" for i in range(4)]
    many = [f"body.{i}.weight" for i in range(40)] + ["head.weight"]
    assert set(layer_groups(many)) == {"body", "head"}
    assert layer_groups(["weight", "bias"]) == ["weight", "bias"]


def test_sparse_gradients_have_no_norm_and_do_no_harm() -> None:
    dense, sparse = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3, 2))
    dense.grad = torch.tensor([3.0, 4.0])
    sparse.grad = torch.zeros(3, 2).to_sparse()
    norms = GradientNorms([("a.weight", dense), ("b.weight", sparse)])
    norms.read()
    taken = norms.taken()
    assert taken is not None
    assert taken.groups == {"a": 5.0}
