"""Batches: every sample once, at any place, with the same bits wherever one starts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.augment.flip import Flip
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.augment.resized_crop import ResizedCrop
from trainwright.data.batch import Batch
from trainwright.data.loader import ArrayStore, Loader, Pipeline
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.samplers.sequential import Sequential
from trainwright.data.samplers.shuffle import Shuffle

CPU = torch.device("cpu")


class Plain:
    """A processor that gives what is stored."""

    type = "number"

    def to_tensor(self, stored: torch.Tensor) -> torch.Tensor:
        return stored.float()


def simple(rows: np.ndarray, batch_size: int, seed: int = 0) -> Loader:
    """Every row holds its own number, as input and as target."""
    arrays = {"x": np.arange(200), "y": np.arange(200)}
    pipeline = Pipeline({"x": Plain()}, {"y": Plain()})  # type: ignore[dict-item]
    return Loader(ArrayStore(arrays, CPU, resident=False), pipeline, rows, batch_size, Shuffle(), seed)


class Pair:
    """A processor that gives two tensors by name."""

    type = "boxes"

    def to_tensor(self, stored: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"twice": stored * 2, "square": stored[:, None] ** 2}


def pictures(chunk: int | None = None, *, channels_last: bool = True, seed: int = 3) -> Loader:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (150, 9, 7, 3), dtype=np.uint8)
    images.flags.writeable = False
    processor = ImageProcessor(size=[9, 7], mode="rgb", normalise="dataset")
    processor.inspect(list(images))
    processor.fit(images)
    pipeline = Pipeline(
        {"image": processor},
        {},
        [RandomCrop(padding=2), Flip(), ResizedCrop(size=[8, 8])],
        seed,
        channels_last,
    )
    loader = Loader(
        ArrayStore({"image": images}, CPU, resident=False), pipeline, np.arange(7, 140), 16, Shuffle(), seed
    )
    loader.chunk = chunk or loader.chunk
    return loader


def digest(batch: Batch) -> str:
    return hashlib.sha256(batch.inputs["image"].contiguous().numpy().tobytes()).hexdigest()


@settings(max_examples=120, deadline=None)
@given(
    count=st.integers(0, 90),
    batch_size=st.integers(1, 40),
    world=st.integers(1, 5),
    micro=st.one_of(st.none(), st.integers(1, 20)),
    chunk=st.integers(1, 4),
    epoch=st.integers(0, 3),
)
def test_every_sample_exactly_once_per_epoch(
    count: int, batch_size: int, world: int, micro: int | None, chunk: int, epoch: int
) -> None:
    rows = np.arange(5, 5 + 2 * count, 2)
    loader = simple(rows, batch_size)
    loader.chunk = chunk
    steps = [list(loader.batches(epoch, part=(rank, world), micro=micro)) for rank in range(world)]
    assert {len(of_rank) for of_rank in steps} == {-(-count // batch_size)}, "all leave the epoch together"
    seen: list[int] = []
    for index in range(loader.steps_per_epoch):
        of_step: list[int] = []
        for of_rank in steps:
            slices = [len(batch) for batch in of_rank[index]]
            assert all(0 < size <= (micro or size) for size in slices)
            for batch in of_rank[index]:
                assert batch.inputs["x"].tolist() == batch.targets["y"].tolist() == batch.ids.tolist()
                assert batch.epoch == epoch
                of_step += batch.ids.tolist()
        assert len(of_step) == min(batch_size, count - index * batch_size)
        seen += of_step
    assert sorted(seen) == rows.tolist()
    assert seen == loader.order(epoch).tolist(), "slices of the ranks, side by side, are the global batch"


@pytest.mark.parametrize(("micro", "chunk", "world"), [(None, 1, 1), (3, 2, 1), (4, 3, 2)])
def test_a_column_of_several_tensors_is_divided_like_any_other(
    micro: int | None, chunk: int, world: int
) -> None:
    pipeline = Pipeline({"x": Plain()}, {"y": Pair()})  # type: ignore[dict-item]
    arrays = {"x": np.arange(40), "y": np.arange(40)}
    loader = Loader(ArrayStore(arrays, CPU, resident=False), pipeline, np.arange(33), 10, Shuffle(), 0)
    loader.chunk = chunk
    steps = [step for rank in range(world) for step in loader.batches(0, part=(rank, world), micro=micro)]
    batches = [batch for step in steps for batch in step]
    for batch in batches:
        target = batch.targets["y"]
        assert isinstance(target, dict)
        assert target["twice"].tolist() == (2 * batch.ids).tolist()
        assert target["square"].tolist() == (batch.ids[:, None] ** 2).tolist()
    assert sum(len(batch) for batch in batches) == 33


def test_slices_of_processes_differ_by_one_at_most() -> None:
    loader = simple(np.arange(37), 10)
    for index in range(4):
        sizes = [sum(len(b) for b in list(loader.batches(0, part=(rank, 4)))[index]) for rank in range(4)]
        assert max(sizes) - min(sizes) <= 1


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(simple(np.arange(50), 8, seed).order(epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@pytest.mark.parametrize("channels_last", [True, False])
def test_any_start_gives_the_bits_of_the_whole_epoch(channels_last: bool) -> None:
    whole = [digest(b) for (b,) in pictures(4, channels_last=channels_last).batches(1)]
    assert len(set(whole)) == len(whole) == 9
    for start in range(10):
        assert [digest(b) for (b,) in pictures(4, channels_last=channels_last).batches(1, start)] == whole[
            start:
        ]


def test_chunks_change_no_bit() -> None:
    digests = {tuple(digest(b) for (b,) in pictures(chunk).batches(2)) for chunk in (1, 2, 5, 9, 100)}
    assert len(digests) == 1


def test_other_epochs_and_seeds_give_other_pictures_of_a_sample() -> None:
    def sample(epoch: int, seed: int) -> bytes:
        for (batch,) in pictures(seed=seed).batches(epoch):
            for row, image in zip(batch.ids, batch.inputs["image"], strict=True):
                if row == 42:
                    return image.contiguous().numpy().tobytes()
        raise AssertionError

    assert len({sample(epoch, seed) for epoch in range(3) for seed in range(3)}) == 9


def test_memory_format_is_as_asked() -> None:
    for wanted in (True, False):
        ((batch, *_), *_) = pictures(channels_last=wanted).batches(0)
        image = batch.inputs["image"]
        assert image.is_contiguous(memory_format=torch.channels_last) is wanted
        assert image.is_contiguous() is not wanted


def test_prediction_needs_no_targets() -> None:
    pipeline = Pipeline({"x": Plain()}, {"y": Plain()}, with_targets=False)  # type: ignore[dict-item]
    store = ArrayStore({"x": np.arange(6)}, CPU, resident=False)
    batches = [b for (b,) in Loader(store, pipeline, np.arange(6), 4, Sequential(), 0).batches(0)]
    assert [b.inputs["x"].tolist() for b in batches] == [[0, 1, 2, 3], [4, 5]]
    assert all(b.targets == {} for b in batches)


@pytest.mark.filterwarnings("error")
def test_read_only_and_strided_arrays_are_read_in_place() -> None:
    base = np.arange(48, dtype=np.float32).reshape(8, 6)
    for array in (base, base[:, ::2], base.T):
        array = array.view()
        array.flags.writeable = False
        store = ArrayStore({"x": array}, CPU, resident=False)
        assert np.shares_memory(store.columns["x"].numpy(), base)
        assert np.array_equal(store.gather("x", np.array([3, 0, 3])).numpy(), array[[3, 0, 3]])


def test_a_memory_map_outlives_the_name_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    np.save(path, np.arange(20, dtype=np.int64))
    store = ArrayStore({"x": np.load(path, mmap_mode="r")}, CPU, resident=False)
    path.unlink()
    assert store.gather("x", np.array([19, 1])).tolist() == [19, 1]


def test_a_chunk_is_about_eight_mebibytes_and_never_less_than_a_batch() -> None:
    large = {"image": np.zeros((10, 500, 500, 3), np.uint8)}
    small = {"x": np.zeros((10, 4), np.float32)}
    sizes = []
    for arrays in (large, small):
        store = ArrayStore(arrays, CPU, resident=False)
        sizes.append(Loader(store, Pipeline({}, {}), np.arange(10), 64, Sequential(), 0).chunk)
    assert sizes == [1, 8 * 2**20 // (64 * 16)]
