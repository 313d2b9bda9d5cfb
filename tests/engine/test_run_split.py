"""Raw outputs over a split: in order, in batches of one shape, the same bits wherever a sample stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_loops
import torch

from trainwright.data.loader import Loader
from trainwright.engine import evaluation
from trainwright.engine.distributed import Processes
from trainwright.engine.evaluation import SplitOutputs, pad_batch, run_split
from trainwright.engine.parts import Parts

MODELS: dict[str, Any] = {
    "mlp": {"name": "mlp", "hidden": [40, 30]},
    "cnn": {"name": "cnn", "widths": [8, 16], "head": 20, "batch_norm": True, "dropout": 0.4},
}


@pytest.fixture(params=[("mlp", "contiguous"), ("cnn", "contiguous"), ("cnn", "channels_last")], ids=str)
def parts(request: pytest.FixtureRequest) -> Parts:
    model, memory_format = request.param
    overrides = {"model": MODELS[model], "train.memory_format": memory_format}
    return tiny_loops.parts(tiny_loops.load(overrides))


def score(parts: Parts, rows: np.ndarray, processes: Processes | None = None) -> SplitOutputs:
    assert parts.val_loader is not None
    held = parts.val_loader
    loader = Loader(held.store, held.pipeline, rows, held.batch_size, held.sampler, held.seed)
    return run_split(parts.task, parts.model, loader, parts.runtime, processes or Processes(), 0)


def test_outputs_are_those_of_the_model_in_the_order_of_the_rows(parts: Parts) -> None:
    rows = np.array([40, 3, 999, 17, 500])
    found = score(parts, rows)
    assert found.rows.tolist() == rows.tolist()
    loader = Loader(
        *[getattr(parts.val_loader, n) for n in ("store", "pipeline")],
        rows,
        5,
        *[getattr(parts.val_loader, n) for n in ("sampler", "seed")],
    )
    ((batch,),) = loader.batches(0)
    parts.model.eval()
    with torch.no_grad():
        expected = parts.model(batch.inputs["image"])
    torch.testing.assert_close(found.outputs["label"], expected, rtol=1e-5, atol=1e-6)
    assert found.targets["label"].tolist() == batch.targets["label"].tolist()


def test_a_sample_has_the_same_bits_in_any_company(parts: Parts) -> None:
    rows = np.arange(300, 395)
    whole = dict(zip(rows.tolist(), score(parts, rows).outputs["label"], strict=True))
    for others in (rows[::-1], rows[50:], rows[7:8], np.random.default_rng(0).permutation(rows)):
        found = score(parts, others)
        for row, output in zip(found.rows.tolist(), found.outputs["label"], strict=True):
            assert output.equal(whole[row]), row


def test_a_model_goes_on_as_it_was(parts: Parts) -> None:
    before = {name: value.clone() for name, value in parts.model.state_dict().items()}
    for training in (True, False):
        parts.model.train(training)
        score(parts, np.arange(70))
        assert parts.model.training is training
    assert all(value.equal(before[name]) for name, value in parts.model.state_dict().items())


@pytest.mark.parametrize("size", [2, 3, 5])
def test_several_processes_give_what_one_gives(parts: Parts, size: int) -> None:
    rows = np.arange(100, 100 + 4 * 32 - 5)
    shares: list[Any] = []

    class Collecting(Processes):
        def gather(self, value: Any) -> list[Any]:
            shares.append(value)
            return [value] + [([], [], [])] * (self.size - 1) if self.rank == 0 else [value]

    original = evaluation._merge
    try:
        evaluation._merge = lambda shares, size: SplitOutputs(np.zeros(0), {}, {})  # type: ignore[assignment]
        for rank in range(size):
            processes = Collecting()
            processes.rank, processes.size = rank, size
            score(parts, rows, processes)
    finally:
        evaluation._merge = original
    together, alone = original(shares, size), score(parts, rows)
    assert together.rows.tolist() == alone.rows.tolist() == rows.tolist()
    assert together.outputs["label"].equal(alone.outputs["label"])
    assert together.targets["label"].equal(alone.targets["label"])


def test_padding_repeats_the_first_sample_and_keeps_the_count() -> None:
    parts = tiny_loops.parts(tiny_loops.load())
    assert parts.val_loader is not None
    *_, (batch,) = parts.val_loader.batches(0)
    padded = pad_batch(batch, 50)
    image = padded.inputs["image"]
    assert len(image) == 50
    assert len(padded) == len(batch)
    assert image[: len(batch)].equal(batch.inputs["image"])
    assert all(row.equal(batch.inputs["image"][0]) for row in image[len(batch) :])
