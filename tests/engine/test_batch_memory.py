"""A batch is refused for its memory only where one layer's output alone would not fit."""

from __future__ import annotations

from typing import Any

import pytest
import tiny_loops
import torch

from trainwright.engine.batch_memory import batch_rows, refuse_impossible_batch
from trainwright.errors import RecipeError

# The widest place of the network on pictures of 8 x 8 pixels.
WIDEST = 32 * 8 * 8
BYTES = 2


def tried(memory: int, overrides: dict[str, Any] | None = None) -> None:
    recipe = tiny_loops.load(
        {"model": {"name": "cnn", "widths": [32, 16]}, "train.device": "cpu", **(overrides or {})}
    )
    refuse_impossible_batch(recipe, tiny_loops.prepared(recipe).info(), lambda device: memory)


def test_the_bound_is_the_widest_output_in_the_narrowest_arithmetic() -> None:
    needed = 50 * WIDEST * BYTES
    tried(needed, {"train.batch_size": 50})
    with pytest.raises(RecipeError, match="50 samples needs more memory") as caught:
        tried(needed - 1, {"train.batch_size": 50})
    assert caught.value.where == "train.batch_size"
    assert "train.micro_batch well below 49" in caught.value.fix


def test_a_micro_batch_is_what_counts() -> None:
    memory = 20 * WIDEST * BYTES
    tried(memory, {"train.batch_size": 50, "train.micro_batch": 20})
    with pytest.raises(RecipeError) as caught:
        tried(memory, {"train.batch_size": 50, "train.micro_batch": 21})
    assert caught.value.where == "train.micro_batch"


def test_where_not_even_one_sample_fits_no_micro_batch_is_advised() -> None:
    with pytest.raises(RecipeError) as caught:
        tried(WIDEST * BYTES - 1)
    assert "smaller samples or a smaller model" in caught.value.fix


def test_no_batch_is_larger_than_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny_loops.load({"train.batch_size": 10**9})
    info = tiny_loops.prepared(recipe).info()
    assert batch_rows(recipe, info) == info.sizes["train"]
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert batch_rows(tiny_loops.load({"train.batch_size": 50}), info) == 13


def test_a_network_that_looks_at_values_is_left_to_the_trial_in_earnest(monkeypatch) -> None:
    """On tensors without values it fails; the same network that does not look is refused for its size."""
    called: list[bool] = []

    class Network(torch.nn.Module):
        looks = False

        def __init__(self, num_outputs: int) -> None:
            super().__init__()
            self.body = torch.nn.Linear(64, num_outputs)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            called.append(self.looks)
            return self.body(x.flatten(1) * (float(x.sum()) if self.looks else 1.0))

    class Curious(Network):
        looks = True

    for network in (Network, Curious):
        monkeypatch.setattr(tiny_loops, network.__name__, network, raising=False)
    with pytest.raises(RecipeError, match="more memory than this machine has"):
        tried(1, {"model": {"name": "tiny_loops:Network"}})
    tried(1, {"model": {"name": "tiny_loops:Curious"}})
    assert called == [False, True]
