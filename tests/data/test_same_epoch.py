"""One epoch is one epoch: for any number of workers and of processes, from any step, to the last bit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright import recipe as recipes
from trainwright.data.batch import Batch
from trainwright.data.loader import Loader
from trainwright.data.prepare import prepare
from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.engine.build import build_loader
from trainwright.engine.runtime import Execution

WORKERS = (0, 1, 2, 4)
SAMPLERS = ("shuffle", "sequential", "stratified", "class_balanced", "with_replacement")
BATCH = 5


@pytest.fixture(scope="module")
def data_of(
    make_photos: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[recipes.LoadedRecipe, PreparedData]]:
    """Prepared photos, kept decoded or decoded on the fly by some number of workers."""
    root = tmp_path_factory.mktemp("same")
    photos = make_photos(root / "photos", each=13)

    def make(cache: str, workers: int, sampler: str) -> tuple[recipes.LoadedRecipe, PreparedData]:
        given = {
            "name": "same",
            "data": {
                "source": {"name": "folder", "root": str(photos)},
                "inputs": {"image": {"type": "image", "size": [12, 10], "normalise": "unit"}},
                "targets": {"label": {"type": "category"}},
                "split": {"val": 0.1},
                "cache": cache,
                "sampler": sampler,
                "augment": [{"name": "random_crop", "padding": 2}, "flip", {"name": "resized_crop"}],
            },
            "model": "cnn",
            "train": {"batch_size": BATCH, "seed": 4},
        }
        loaded = recipes.load(given)
        return loaded, prepare(loaded.recipe.data, cache_dir=root / "cache", workers=workers)

    return make


def loader_of(loaded: recipes.LoadedRecipe, data: PreparedData) -> Loader:
    execution = Execution(device="cpu", threads=1, world_size=1, channels_last=True)
    store = store_of(data, torch.device("cpu"))
    return build_loader(loaded.recipe, data, store, "train", execution, training=True)


def digests(batches: Iterator[list[Batch]]) -> list[tuple[tuple[int, ...], str, tuple[int, ...]]]:
    """Rows, pixels and labels of each micro-batch."""
    return [
        (
            tuple(batch.ids.tolist()),
            hashlib.sha256(batch.inputs["image"].contiguous().numpy().tobytes()).hexdigest(),
            tuple(batch.targets["label"].tolist()),
        )
        for step in batches
        for batch in step
    ]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_any_number_of_workers_gives_the_epochs_of_the_cache(data_of, sampler: str) -> None:
    kept = loader_of(*data_of("auto", 0, sampler))
    expected = [digests(kept.batches(epoch)) for epoch in range(2)]
    assert expected[0] != expected[1]
    for workers in WORKERS if sampler == "shuffle" else (0, 2):
        streamed = loader_of(*data_of("none", workers, sampler))
        assert [digests(streamed.batches(epoch)) for epoch in range(2)] == expected


@pytest.mark.parametrize("workers", WORKERS)
def test_a_resume_at_every_step_goes_on_with_the_same_pixels(data_of, workers: int) -> None:
    loaded, data = data_of("none", workers, "shuffle")
    loader = loader_of(loaded, data)
    loader.chunk = 2
    whole = digests(loader.batches(1))
    assert len(whole) == loader.steps_per_epoch > 4
    for start in range(loader.steps_per_epoch + 1):
        assert digests(loader.batches(1, start)) == whole[start:]


@settings(max_examples=40, deadline=None)
@given(
    sampler=st.sampled_from(SAMPLERS),
    world=st.integers(1, 5),
    start=st.integers(0, 5),
    epoch=st.integers(0, 9),
)
def test_processes_share_every_batch_of_the_one_epoch(
    data_of, sampler: str, world: int, start: int, epoch: int
) -> None:
    loader = loader_of(*data_of("auto", 0, sampler))
    parts = [list(loader.batches(epoch, start, part=(rank, world))) for rank in range(world)]
    order = loader.order(epoch)
    for step, slices in enumerate(zip(*parts, strict=True), start=start):
        together = [row for piece in slices for batch in piece for row in batch.ids.tolist()]
        assert together == order[step * BATCH : (step + 1) * BATCH].tolist()
    if sampler in ("shuffle", "sequential", "stratified"):
        assert np.array_equal(np.sort(order), np.sort(loader.rows))
