"""What a checkpoint will hold can be saved and restored, and is the same then: tried before a training."""

from __future__ import annotations

from typing import Any

import pytest
import tiny_loops
import torch

from trainwright.engine.restoring import check_parts, check_restored
from trainwright.errors import ModelError


class Counter:
    """Remembers a number and a tensor."""

    def __init__(self) -> None:
        self.seen, self.mean = 3, torch.tensor([0.5, float("nan")])

    def state_dict(self) -> dict[str, Any]:
        """Both."""
        return {"seen": self.seen, "mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes both back."""
        self.seen, self.mean = state["seen"], state["mean"]


class Hoarder(Counter):
    """Keeps what is no data."""

    def state_dict(self) -> dict[str, Any]:
        """With a set."""
        return {"seen": {1, 2}}


class Forgetful(Counter):
    """Does not take back what it gave."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Begins anew."""
        self.seen = 0


class Stubborn(Counter):
    """Refuses its state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Fails."""
        raise KeyError("mean")


def called(event: str, mode: str, epoch: int, step: int, logs: dict[str, float]) -> None:
    """A callback without a state."""


class Calling(Forgetful):
    """A callback that forgets."""

    def __call__(self, event: str, mode: str, epoch: int, step: int, logs: dict[str, float]) -> None:
        """Does nothing."""


def test_a_state_of_data_and_tensors_is_restored():
    part = Counter()
    check_restored(part, "it", "here")
    assert part.seen == 3 and part.mean[0] == 0.5


@pytest.mark.parametrize(
    ("part", "what", "why"),
    [
        (Hoarder(), "cannot be saved and restored", "set"),
        (Stubborn(), "cannot be saved and restored", "KeyError"),
        (Forgetful(), "is another one after", "resumed"),
    ],
)
def test_what_cannot_be_restored_is_refused(part: Counter, what: str, why: str):
    with pytest.raises(ModelError) as caught:
        check_restored(part, "the counter", "train.callbacks.0")
    assert what in caught.value.what and "the counter" in caught.value.what
    assert why in caught.value.why and "state_dict" in caught.value.fix
    assert caught.value.where == "train.callbacks.0"


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "ftrl", "rmsprop", "adadelta", "nadam"])
def test_the_parts_of_a_run_are_sound(optimizer: str):
    overrides = {**tiny_loops.EVERYTHING, "train.optimizer": optimizer, "train.schedule": "plateau"}
    overrides["train.callbacks"] = [
        {"name": "best", "monitor": "val/accuracy"},
        {"name": "test_restoring:called"},
    ]
    parts = tiny_loops.parts(tiny_loops.load(overrides))
    check_parts(parts, spoil=True)
    assert all(parameter.grad is None for parameter in parts.model.parameters())


def test_a_model_that_is_to_be_trained_is_not_touched():
    parts = tiny_loops.parts(tiny_loops.load({"train.optimizer.weight_decay": 0.5}))
    before = {name: tensor.clone() for name, tensor in parts.model.state_dict().items()}
    check_parts(parts, spoil=False)
    assert all(torch.equal(before[name], tensor) for name, tensor in parts.model.state_dict().items())
    assert not parts.runners[0].named.state_dict()["state"]


@pytest.mark.parametrize("spoil", [True, False])
def test_a_callback_that_forgets_is_named(spoil: bool):
    overrides = {
        "train.callbacks": [{"name": "best", "monitor": "val/accuracy"}, {"name": "test_restoring:Calling"}]
    }
    with pytest.raises(ModelError, match="callback Calling") as caught:
        check_parts(tiny_loops.parts(tiny_loops.load(overrides)), spoil=spoil)
    assert caught.value.where == "train.callbacks.1"


class NeedsClosure(torch.optim.SGD):
    """Cannot step as a training steps it."""

    def step(self, closure: Any) -> None:
        """Asks for what nobody gives."""


def closing(params: Any) -> torch.optim.Optimizer:
    """An optimizer as a recipe may name it."""
    return NeedsClosure([parameter for _, parameter in params], lr=0.1)


def test_an_optimizer_that_cannot_step():
    parts = tiny_loops.parts(tiny_loops.load({"train.optimizer": {"name": "test_restoring:closing"}}))
    with pytest.raises(ModelError, match="fails at its first step") as caught:
        check_parts(parts, spoil=True)
    assert caught.value.where == "train.optimizer" and "closure" in caught.value.why
