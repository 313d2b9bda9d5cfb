"""Encoders of videos: what they see of time, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.conv3d import conv3d
from trainwright.models.frames import frames

VIDEO = TensorSpec("video", (3, 5, 16, 16))


@pytest.mark.parametrize("pool", ["mean", "max", "lstm"])
def test_every_frame_is_encoded_by_itself(pool):
    torch.manual_seed(0)
    model = frames({"v": VIDEO}, 4, encoder={"name": "cnn", "widths": [4], "head": 6}, pool=pool).eval()
    x = torch.randn(2, 3, 5, 16, 16)
    assert model(x).shape == (2, 4)
    each = torch.stack([model.encoder(x[:, :, place]) for place in range(5)], 1)
    reduced = {"mean": each.mean(1), "max": each.amax(1)}
    if pool == "lstm":
        reduced["lstm"] = model.recurrent(each)[1][0][-1]
    torch.testing.assert_close(model(x), model.head(reduced[pool]))
    same = torch.allclose(model(x), model(x.flip(2)), atol=1e-6)
    assert same == (pool != "lstm")  # mean and maximum know no order
    assert frames({"v": VIDEO}, 0, encoder={"name": "cnn", "head": 6})(x).shape == (2, 6)


@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_three_dimensional_convolutions_take_any_number_of_frames(count):
    spec = TensorSpec("video", (3, count, 16, 16))
    x = torch.randn(2, 3, count, 16, 16)
    assert conv3d({"v": spec}, 4, widths=[4, 5], dropout=0.1)(x).shape == (2, 4)
    assert conv3d({"v": spec}, 0, widths=[4, 5])(x).shape == (2, 5)


def test_a_direction_of_movement_is_learned_from_space_and_time():
    """Every frame alone looks the same in both classes."""
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(0)
    x, labels = torch.zeros(32, 1, 4, 8, 8), torch.arange(32) % 2
    for row, label in enumerate(labels.tolist()):
        start = int(torch.randint(0, 8, (1,), generator=draw))
        for place in range(4):
            x[row, 0, place, :, (start + (place if label else -place)) % 8] = 1
    model = conv3d({"v": TensorSpec("video", (1, 4, 8, 8))}, 2, widths=[8, 16])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    assert (model(x).argmax(1) == labels).float().mean() > 0.95


def test_what_does_not_fit_is_told():
    with pytest.raises(ModelError, match="frames reads one input of type video"):
        frames({"v": TensorSpec("image", (3, 16, 16))}, 2)
    with pytest.raises(ModelError, match="too small for 5 blocks of conv3d"):
        conv3d({"v": VIDEO}, 2, widths=[1, 2, 3, 4, 5])
