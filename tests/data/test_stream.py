"""Decoding on the fly gives what the cache holds, in order, for any number of workers."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.data.decode_pool import DecodePool
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.stream import DecodeStream
from trainwright.data.types import RawFile
from trainwright.errors import DataError


@pytest.fixture
def files(class_folders):
    root = class_folders(count=30)
    return [RawFile(str(path)) for path in sorted(root.rglob("*.png"))]


PROCESSOR = ImageProcessor(size=[6, 7], mode="rgb")


def stream(files, workers, **options):
    options = {"max_rows": 20, **options}
    return DecodeStream({"image": files}, {"image": PROCESSOR}, workers=workers, **options)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_are_those_of_encode_in_the_order_of_requests(files, workers):
    expected = np.stack([PROCESSOR.encode(file) for file in files])
    orders = [np.random.default_rng(epoch).permutation(60)[: 20 - epoch] for epoch in range(9)]
    with stream(files, workers, ahead=3) as source:
        waiting = iter(orders)
        for number, rows in enumerate(orders):
            while not source.full and (ahead := next(waiting, None)) is not None:
                source.request(ahead)
            assert source.pending == min(3, len(orders) - number)
            values = source.next()["image"]
            assert np.array_equal(values, expected[rows]), number


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 59), max_size=20))
def test_any_rows_also_twice_or_none(files, rows):
    with stream(files, 0) as source:
        values = source.take(np.array(rows, dtype=np.int64))["image"]
        assert np.array_equal(
            values, np.array([PROCESSOR.encode(files[row]) for row in rows]).reshape(-1, 6, 7, 3)
        )


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_stays_as_it_is_until_the_next_one_is_taken(files, workers):
    with stream(files, workers, ahead=2) as source:
        source.request(np.arange(20))
        first = source.next()["image"]
        copy = first.copy()
        source.request(np.arange(20, 40))
        source.request(np.arange(40, 60))
        source._pool and list(iter(lambda pool=source._pool: len(pool._waiting), 0))
        assert np.array_equal(first, copy)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_is_gone_meanwhile_is_named(files, workers, tmp_path):
    with stream(files, workers) as source:
        (tmp_path / "photos" / "cat" / "4.png").unlink()
        row = next(row for row, file in enumerate(files) if file.path.endswith("cat/4.png"))
        with pytest.raises(DataError, match="does not exist") as error:
            source.take(np.array([row, 0]))
        assert files[row].path in error.value.where
        assert len(source.take(np.array([1]))["image"]) == 1


def test_several_columns(files):
    other = ImageProcessor(size=3, mode="gray")
    columns = {"image": files, "small": files[::-1]}
    with DecodeStream(columns, {"image": PROCESSOR, "small": other}, workers=2, max_rows=8) as source:
        values = source.take(np.array([5, 0]))
    assert np.array_equal(values["image"][1], PROCESSOR.encode(files[0]))
    assert np.array_equal(values["small"][0], other.encode(files[54]))


def test_too_much_at_once_is_a_mistake_of_the_caller(files):
    with stream(files, 0, ahead=1) as source:
        with pytest.raises(ValueError, match="21 rows of 20"):
            source.request(np.zeros(21, dtype=np.int64))
        source.request(np.array([1]))
        assert source.full
        with pytest.raises(ValueError, match="1 open"):
            source.request(np.array([1]))


def test_workers_end_with_the_stream(files):
    with stream(files, 2) as source:
        pool = source._pool
        assert isinstance(pool, DecodePool)
        processes = [worker.process for worker in pool._workers]
        source.request(np.arange(20))
    assert all(process.poll() is not None for process in processes)
