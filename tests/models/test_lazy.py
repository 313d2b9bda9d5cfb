"""Models whose layers take their sizes from the first batch have them before they are used."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.lazy import settle_sizes

IMAGE = {"image": TensorSpec("image", (3, 8, 8))}


class Skipping(nn.Module):
    """Has a layer without sizes that it never calls."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare = nn.LazyLinear(4), nn.LazyLinear(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Through one of the two."""
        return self.used(x.flatten(1))


def test_sizes_follow_from_the_inputs():
    model = nn.Sequential(nn.LazyConv2d(5, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(4))
    settle_sizes(model, IMAGE)
    assert model[0].weight.shape == (5, 3, 3, 3)
    assert model[3].weight.shape == (4, 5 * 6 * 6)


def test_no_statistics_move_and_every_layer_keeps_its_mode():
    model = nn.Sequential(nn.LazyBatchNorm2d(), nn.Dropout(0.5).eval(), nn.Flatten(), nn.LazyLinear(4))
    settle_sizes(model, IMAGE)
    assert not model[0].running_mean.any() and model[0].num_batches_tracked == 0
    assert [part.training for part in model] == [True, False, True, True]


def test_a_model_with_sizes_is_not_called():
    called = []
    settled, unsettled = nn.Sequential(nn.Flatten(), nn.Linear(192, 4)), Skipping()
    unsettled.spare = nn.Linear(1, 1)
    for model in (settled, unsettled):
        model.register_forward_hook(lambda module, *_: called.append(module))
        settle_sizes(model, IMAGE)
    assert called == [unsettled]


def test_the_same_seed_gives_the_same_weights():
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
        settle_sizes(model, IMAGE)
        made.append(model[1].weight.detach().clone())
    assert torch.equal(*made)


def test_without_memory_sizes_are_found_without_memory():
    with torch.device("meta"):
        model = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
        settle_sizes(model, IMAGE)
    assert model[1].weight.shape == (4, 192) and model[1].weight.is_meta


def test_a_layer_that_no_batch_reaches_is_named():
    with pytest.raises(ModelError, match="'spare'") as caught:
        settle_sizes(Skipping(), IMAGE)
    assert "remove the layer" in caught.value.fix


def test_a_layer_that_does_not_fit_is_named():
    with pytest.raises(ModelError, match="'0'") as caught:
        settle_sizes(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.LazyLinear(4)), IMAGE)
    assert "build it for 3 channels" in caught.value.fix and "mode: gray" in caught.value.fix
