"""Losses of a user's own: functions and classes that give a value per sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch
from trainwright.data.types import DataInfo, TensorSpec
from trainwright.engine.preflight import check_model
from trainwright.errors import ModelError, RecipeError
from trainwright.recipe.schema import Target
from trainwright.tasks.supervised.task import SupervisedTask

FILE = "test_recipe_loss.py"
MODULE = __name__
ROWS = 8


def line_of(function: Any) -> int:
    return int(function.__code__.co_firstlineno)


def scalar(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs().mean()


def each_number(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs()


def python_number(output: Tensor, target: Tensor) -> float:
    return float((output - target).detach().abs().mean())


def not_a_number(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) * torch.nan).mean(1)


def scalar_of_many(output: Tensor, target: Tensor) -> Tensor:
    each = (output - target).abs().mean(1)
    return each.mean() if len(each) > 2 else each


class Scaled(nn.Module):
    """As torch's own losses are written, with a constant that follows the device."""

    k: Tensor

    def __init__(self, k: float = 2.0) -> None:
        super().__init__()
        self.register_buffer("k", torch.tensor(k))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.k * (output - target).abs().mean(1)


class Asking:
    """Asks for the column, once when it is made and once when it is called."""

    def __init__(self, spec: TensorSpec, *, k: float) -> None:
        self.k, self.spec = k, spec

    def __call__(self, output: Tensor, target: Tensor, *, spec: TensorSpec) -> Tensor:
        assert spec is self.spec
        return self.k * (output - target).abs().mean(1)


class Within:
    """A metric."""

    def __init__(self, reach: float) -> None:
        self.reach = reach

    def __call__(self, output: Tensor, target: Tensor) -> dict[str, float]:
        return {"within": float(((output - target).abs() < self.reach).float().mean())}


class Trained(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (self.w * (output - target)).abs().mean(1)


class Failing:
    def __init__(self, k: int = 1) -> None:
        raise ValueError("no such k")

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError


class Silent:
    def __init__(self, k: int = 1) -> None:
        self.k = k


def setting(loss: Any, **section: Any) -> tuple[SupervisedTask, nn.Module, Batch]:
    spec = TensorSpec("number", (2,))
    target = Target.model_validate({"type": "number", "loss": loss, **section})
    task = SupervisedTask({"y": target}, {"name": "mlp", "hidden": [4]})
    torch.manual_seed(0)
    model = task.build(DataInfo({"x": TensorSpec("number", (3,))}, {"y": spec}, {"train": ROWS}))
    generator = torch.Generator().manual_seed(1)
    inputs, truth = (torch.randn(ROWS, width, generator=generator) for width in (3, 2))
    return task, model, Batch({"x": inputs}, {"y": truth}, np.arange(ROWS))


def refused(loss: Callable[..., Any]) -> ModelError:
    task, model, batch = setting(f"{MODULE}:{loss.__name__}")
    with pytest.raises(ModelError) as caught:
        check_model(task, model, batch)
    assert caught.value.where == "data.targets.y.loss"
    assert f"the loss {MODULE}:{loss.__name__} (" in caught.value.what
    assert f"{FILE}:{line_of(loss)})" in caught.value.what
    return caught.value


@pytest.mark.parametrize(
    ("loss", "gives"),
    [
        (scalar, "one number for 2 samples"),
        (each_number, "shape [2, 2] for 2 samples"),
        (python_number, "a float instead of a tensor"),
        (scalar_of_many, f"one number for {ROWS} samples"),  # the evaluation's batch is larger
    ],
)
def test_a_loss_that_gives_no_value_per_sample_is_told_by_name_and_line(
    loss: Callable[..., Any], gives: str
) -> None:
    error = refused(loss)
    assert gives in error.what
    assert error.fix.startswith("return one value per sample: reduce over all axes but the first")


def test_a_step_and_an_evaluation_end_in_the_same_error() -> None:
    task, model, batch = setting(f"{MODULE}:scalar_of_many")
    [phase] = task.phases(model)
    outputs = task.predict(model, batch)
    for work in (
        lambda: task.training_step(model, batch, phase),
        lambda: task.score(outputs, batch.targets),
        lambda: task.per_sample_losses(outputs, batch.targets),
    ):
        with pytest.raises(ModelError, match=f"scalar_of_many .* gives one number for {ROWS} samples"):
            work()


def test_a_loss_that_is_nan_from_the_start_is_told_by_name_and_line() -> None:
    error = refused(not_a_number)
    assert "gives [nan, nan] for the very first samples" in error.what
    assert "finite" in error.why


def test_a_loss_is_not_blamed_for_what_the_model_says() -> None:
    class Lost(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x) * torch.nan

    task, model, batch = setting(f"{MODULE}:Scaled")
    with pytest.raises(ModelError, match="the loss of the very first samples is nan"):
        check_model(task, Lost(model), batch)


@pytest.mark.parametrize("name", ["Scaled", "Asking"])
def test_a_class_trains_with_the_recipes_parameters(name: str) -> None:
    task, model, batch = setting({"name": f"{MODULE}:{name}", "k": 3.0})
    check_model(task, model, batch)
    [phase] = task.phases(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    means = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = task.training_step(model, batch, phase).loss
        by_hand = 3.0 * (model(batch.inputs["x"]) - batch.targets["y"]).abs().mean(1)
        torch.testing.assert_close(loss, by_hand)
        loss.mean().backward()
        optimizer.step()
        means.append(float(loss.detach().mean()))
    assert means[1] < means[0]


def test_a_metric_may_be_a_class() -> None:
    metrics = [{"name": f"{MODULE}:Within", "reach": 0.5}]
    task, model, batch = setting("mae", metrics=metrics)
    with torch.no_grad():
        outputs = task.predict(model, batch)
        found = task.score(outputs, batch.targets)["within"]
    near = (outputs["y"] - batch.targets["y"]).abs() < 0.5
    assert found == pytest.approx(near.double().mean().item())


@pytest.mark.parametrize(
    ("name", "what", "why"),
    [
        ("Trained", "has parameters of its own", "of the model"),
        ("Failing", "could not be built", "ValueError: no such k"),
        ("Silent", "cannot be called", "__call__"),
    ],
)
def test_a_class_that_is_no_loss_is_refused_at_its_key(name: str, what: str, why: str) -> None:
    with pytest.raises(RecipeError) as caught:
        setting(f"{MODULE}:{name}")
    assert f"the loss {MODULE}:{name} {what}" in caught.value.what and why in caught.value.why
    assert caught.value.where == "data.targets.y.loss"


def test_the_examples_of_the_page_do_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
    space: dict[str, Any] = {}
    for block in page.split("```python\n")[1:]:
        exec(block.split("```")[0], space)
    output, target = torch.tensor([[1.0, 3.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [2.0, 0.0]])
    torch.testing.assert_close(space["asymmetric"](output, target, below=3.0), torch.tensor([2.0, 3.0]))
    torch.testing.assert_close(space["Scaled"](k=3.0)(output, target), torch.tensor([3.0, 3.0]))
