"""Heads with a loss of their own: a training that is resumed in mid-epoch ends with the same bits."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_loops
from PIL import Image
from tiny_loops import EVERYTHING, bits


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """Noise with masks of two classes and void."""
    root = tmp_path_factory.mktemp("blocks")
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    for number in range(14):
        pixels = rng.integers(0, 255, (16, 24, 3), dtype=np.uint8)
        ids = rng.choice([0, 1, 255], (4, 6)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
        Image.fromarray(pixels).save(root / "images" / f"{number}.png")
        Image.fromarray(ids).save(root / "masks" / f"{number}.png")
    return root


def assert_resumed_alike(overrides):
    """A training that goes on from its checkpoints ends with the bits of one that was not cut."""
    whole = tiny_loops.loop(overrides)
    whole.run()
    steps = [step for step, _, _ in whole.writer.written]
    for step in (1, 4):
        assert step in steps
        resumed = tiny_loops.loop(overrides)
        resumed.state.restore(whole.writer.tree(step))
        resumed.run()
        last = steps[-1]
        assert bits(resumed.writer.tree(last)) == bits(whole.writer.tree(last))


@pytest.mark.parametrize("loss", ["cross_entropy", "lovasz"])
def test_a_resumed_segmentation_ends_with_the_same_bits(blocks, loss):
    overrides = {
        **EVERYTHING,
        "data.source": {"name": "masks", "root": str(blocks)},
        "data.inputs": {"image": {"type": "image", "size": [16, 24]}},
        "data.targets": {"mask": {"type": "mask", "loss": loss, "class_weights": "auto"}},
        "data.split": {"val": 0.2},
        "data.augment": [{"name": "random_crop", "padding": 2}, "flip"],
        "model": {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [8, 16], "blocks": [1, 1]},
            "neck": {"name": "fpn", "width": 8},
            "heads": {"mask": {"name": "dense", "width": 8, "dropout": 0.3}},
        },
        "train.batch_size": 4,
        "train.micro_batch": 3,
        "train.checkpoint.every_steps": 1,
    }
    assert_resumed_alike(overrides)


PYRAMID = {
    "name": "pyramid",
    "backbone": {"name": "small", "widths": [8, 16], "blocks": [1, 1]},
    "neck": {"name": "fpn", "width": 8},
    "heads": {"target": {"name": "restore", "width": 8, "detail": 4}},
}


@pytest.mark.parametrize("model", [PYRAMID, {"name": "dncnn", "width": 6, "depth": 4, "batch_norm": True}])
def test_a_resumed_restoration_ends_with_the_same_bits(blocks, model):
    image = {"type": "image", "normalise": "unit"}
    overrides = {
        **EVERYTHING,
        "data.source": {"name": "degraded", "root": str(blocks / "images"), "noise": 20, "clip": False},
        "data.inputs": {"input": image | {"depth": 32}},
        "data.targets": {"target": image},
        "data.split": {"val": 0.2},
        "data.augment": [{"name": "random_crop", "size": [12, 12], "padding": 0}, "flip"],
        "model": model,
        "train.batch_size": 4,
        "train.micro_batch": 3,
        "train.checkpoint.every_steps": 1,
    }
    assert_resumed_alike(overrides)
