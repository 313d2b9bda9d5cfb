"""Step, layer and samples that a number that is none comes from are found by taking the steps again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tiny_loops
import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch
from trainwright.engine.health.failing_step import FailingStep, Search
from trainwright.engine.loop import Loop
from trainwright.engine.parts import Parts
from trainwright.engine.signals import StopRequest
from trainwright.progress import NoProgress
from trainwright.tasks.base import StepOutput

FAILING = 8


def search(spoil: Callable[[Loop], None], *, micro: int | None = None, **given: Any) -> FailingStep | None:
    """Looks for what `spoil` does to a training, from its beginning of the second epoch."""
    overrides = {"train.micro_batch": micro, "train.log_every": 50}
    whole = tiny_loops.loop(overrides)
    whole.run()
    parts: Parts = tiny_loops.parts(tiny_loops.load(overrides))
    loop = Search(parts, tiny_loops.Notes(), NoProgress(), None, lambda: None, StopRequest())
    loop.state.restore(whole.writer.tree(6))  # type: ignore[union-attr]
    spoil(loop)
    return loop.find(12, **given)


def rows_of(loop: Loop, step: int) -> list[int]:
    """Rows of the batch of a step of the second epoch, in order."""
    batches = list(loop.parts.train_loader.batches(1))
    return [int(row) for batch in batches[step - 6] for row in batch.ids]


def spoilt_layer(loop: Loop) -> None:
    """In the failing step the third and fifth row of what the hidden layer gives are no numbers."""
    layer = next(m for m in loop.parts.model.modules() if isinstance(m, nn.Linear))

    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        """Spoils two rows."""
        if loop.position.step != FAILING:
            return output
        output = output.clone()
        output[[2, 4]] = torch.nan
        return output

    layer.register_forward_hook(hook)


def layer_name(loop: Loop) -> str:
    return next(n for n, m in loop.parts.model.named_modules() if isinstance(m, nn.Linear))


def test_the_layer_and_its_samples() -> None:
    seen: list[Any] = []

    def spoil(loop: Loop) -> None:
        """Spoils a layer, and notes what should be found."""
        spoilt_layer(loop)
        rows = rows_of(loop, FAILING)
        seen.append(FailingStep(FAILING, "output", layer_name(loop), (rows[2], rows[4])))

    assert [search(spoil)] == seen


def test_of_a_micro_batch_the_rows_are_its_own() -> None:
    seen: list[Any] = []

    def spoil(loop: Loop) -> None:
        """As above; the first micro-batch has the third and fifth sample of the batch."""
        spoilt_layer(loop)
        seen.append((rows_of(loop, FAILING)[2], rows_of(loop, FAILING)[4]))

    found = search(spoil, micro=8)
    assert found is not None
    assert [found.samples] == seen


def test_an_input() -> None:
    def spoil(loop: Loop) -> None:
        """One picture of the failing step has an infinite pixel."""
        real = loop.parts.task.training_step

        def step(model: nn.Module, batch: Batch, phase: Any) -> StepOutput:
            """Spoils the second picture."""
            if loop.position.step == FAILING:
                batch.inputs["image"] = batch.inputs["image"].clone()  # type: ignore[union-attr]
                batch.inputs["image"][1, 0, 3, 3] = torch.inf  # type: ignore[index]
            return real(model, batch, phase)

        loop.parts.task.training_step = step  # type: ignore[method-assign]

    found = search(spoil)
    assert found is not None
    assert (found.step, found.kind, found.name, len(found.samples)) == (FAILING, "input", "image", 1)


def test_the_loss_alone() -> None:
    def spoil(loop: Loop) -> None:
        """Only the fourth sample has no loss."""
        real = loop.parts.task.training_step

        def step(*given: Any) -> StepOutput:
            """Spoils the loss."""
            output = real(*given)
            if loop.position.step == FAILING:
                output.loss = output.loss + torch.where(torch.arange(len(output.loss)) == 3, torch.nan, 0.0)
            return output

        loop.parts.task.training_step = step  # type: ignore[method-assign]

    found = search(spoil)
    assert found is not None
    assert (found.step, found.kind, found.name, len(found.samples)) == (FAILING, "loss", "", 1)


def test_a_gradient_with_all_samples_of_the_batch() -> None:
    def spoil(loop: Loop) -> None:
        """A backward pass that divides by zero."""
        name, parameter = loop.parts.runners[0].phase.parameters[-1]
        parameter.register_hook(lambda g: g / 0 if loop.position.step == FAILING else g)
        spoilt.append(name)

    spoilt: list[str] = []
    found = search(spoil)
    assert found is not None
    assert (found.kind, [found.name], len(found.samples)) == ("gradient", spoilt, 32)


def test_infinities_that_do_no_harm_are_not_told() -> None:
    def spoil(loop: Loop) -> None:
        """A layer beside the network gives infinities on purpose, as masks do."""
        mask = nn.Identity()
        loop.parts.model.add_module("mask", mask)
        real = loop.parts.task.training_step

        def step(*given: Any) -> StepOutput:
            """Calls the mask, and the network."""
            mask(torch.full((2, 2), -torch.inf))
            return real(*given)

        loop.parts.task.training_step = step  # type: ignore[method-assign]

    assert search(spoil) is None


@pytest.mark.parametrize("given", [{"first": FAILING + 1}, {"stop": lambda: True}, {"seconds": -1.0}])
def test_it_looks_no_further_than_asked(given: dict[str, Any]) -> None:
    def spoil(loop: Loop) -> None:
        """Only the failing step is spoilt, and its weights are left as they were."""
        spoilt_layer(loop)
        loop.parts.runners[0].apply = lambda step, **_: loop.parts.model.zero_grad()  # type: ignore[method-assign]

    assert search(spoil, **given) is None
    assert search(spoil) is not None


def test_it_is_told_in_words() -> None:
    names = [f"photo{row}.png" for row in range(20)]
    found = FailingStep(1200, "output", "body.1", (3, 7))
    assert found.told(names) == (
        "first in the step after 1,200 steps: the output of layer body.1 is infinite or no number; "
        "samples 3 (photo3.png), 7 (photo7.png)"
    )
    assert FailingStep(0, "loss", "", (1,)).told().endswith("of finite outputs; sample 1")
    assert FailingStep(0, "gradient", "w", tuple(range(11))).told().endswith("6, 7 and 3 more")
