"""Values decoded while training goes on are those of the decoded cache, whoever asks in whatever order."""

from __future__ import annotations

import gc
import subprocess

import numpy as np
import pytest
import torch

from trainwright import recipe as recipes
from trainwright.data.loader import Loader, Pipeline
from trainwright.data.prepare import prepare
from trainwright.data.samplers.shuffle import Shuffle
from trainwright.data.stream_store import StreamStore, store_of


@pytest.fixture(scope="module")
def prepared(make_photos, tmp_path_factory):
    root = tmp_path_factory.mktemp("stream")
    photos = make_photos(root / "photos", each=21)

    def make(cache: str, workers: int = 0):
        given = {
            "name": "stream",
            "data": {
                "source": {"name": "folder", "root": str(photos)},
                "inputs": {"image": {"type": "image", "size": [16, 16]}},
                "targets": {"label": {"type": "category"}},
                "split": {"val": 0.25},
                "cache": cache,
            },
            "model": "cnn",
        }
        return prepare(recipes.load(given).recipe.data, cache_dir=root / "cache", workers=workers)

    return make


def loader_of(data, split="train", chunk=2):
    store = store_of(data, torch.device("cpu"))
    loader = Loader(store, Pipeline(data.inputs, data.targets), data.splits[split], 4, Shuffle(), seed=3)
    loader.chunk = chunk
    return loader


def tensors(steps):
    return [(b.inputs["image"].clone(), b.targets["label"].clone()) for step in steps for b in step]


def assert_same(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_batches_as_from_the_cache(prepared, workers):
    kept, streamed = loader_of(prepared("auto")), loader_of(prepared("none", workers))
    assert isinstance(streamed.store, StreamStore) and not isinstance(kept.store, StreamStore)
    for epoch, start in ((0, 0), (1, 3), (2, 7)):
        assert_same(tensors(kept.batches(epoch, start)), tensors(streamed.batches(epoch, start)))


def test_epochs_that_are_left_and_mixed(prepared):
    """Training waits while an evaluation runs over the same store, and an epoch may be given up."""
    kept, streamed = prepared("auto"), prepared("none", 2)
    expected = loader_of(kept)
    train = loader_of(streamed)
    val = loader_of(streamed, "val")
    val.store = train.store
    steps = train.batches(0)
    begun = tensors([next(steps) for _ in range(3)])
    assert_same(tensors(val.batches(0)), tensors(loader_of(kept, "val").batches(0)))
    assert_same(begun + tensors(steps), tensors(expected.batches(0)))
    abandoned = train.batches(1)
    next(abandoned)
    assert_same(tensors(train.batches(2)), tensors(expected.batches(2)))


def test_a_larger_request_than_before(prepared):
    data, kept = prepared("none", 2), prepared("auto")
    store = StreamStore(data, torch.device("cpu"))
    for rows in (np.arange(2), np.arange(9), np.array([5])):
        assert np.array_equal(store.gather("image", rows).numpy(), kept.arrays["image"][rows])


def test_no_worker_outlives_the_store(prepared, monkeypatch):
    started = []
    start = subprocess.Popen

    def recorded(*args, **options):
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", recorded)
    store = StreamStore(prepared("none", 2), torch.device("cpu"))
    store.gather("image", np.arange(2))
    assert [process.poll() for process in started] == [None, None]
    del store
    gc.collect()
    assert all(process.poll() is not None for process in started)
