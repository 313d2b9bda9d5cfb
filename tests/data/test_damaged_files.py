"""Fuzz tests: whatever a file holds, there is a sample or a named fault, in bounded time and memory."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.processors.image import ImageProcessor
from trainwright.data.sources.coco import CocoSource
from trainwright.data.sources.table import TableSource
from trainwright.data.sources.ucr import UcrSource
from trainwright.data.sources.yolo import YoloSource
from trainwright.data.types import BadSample, RawFile, Source
from trainwright.errors import DataError, UserError

ENOUGH = 192 << 20  # bytes; tables are read by buffers of 64 MiB, and no file here has 1 KiB
patches = st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@contextmanager
def bounded() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < ENOUGH
    finally:
        tracemalloc.stop()


def damaged(content: bytes, changes: list[tuple[int, bytes]], cut: int) -> bytes:
    data = bytearray(content)
    for place, patch in changes:
        place %= max(1, len(data))
        data[place : place + len(patch)] = patch
    return bytes(data[: max(0, len(data) - cut)])


def rows_read(make: Callable[[], Source]) -> int | None:
    """Opens a source and reads every value of every column; None where that ends in an error for people."""
    with bounded():
        try:
            source = make()
            for name in source.columns:
                values = source.column(name)
                assert len(values) == len(source)
                assert sum(1 for _ in values) == len(source)
            names = source.sample_names()
            assert all(isinstance(names[row], str) for row in range(len(source)))
            assert all(where and reason for where, reason in source.faults)
            return len(source)
        except UserError as error:
            assert str(error)
            return None


def picture(format: str) -> bytes:
    file = io.BytesIO()
    pixels = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


PICTURES = {format: picture(format) for format in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")}


@settings(max_examples=300)
@given(st.sampled_from(sorted(PICTURES)), patches, st.integers(0, 200))
def test_pictures(folder, format, changes, cut):
    path = folder / "picture"
    path.write_bytes(damaged(PICTURES[format], changes, cut))
    processor = ImageProcessor(size=[8, 8], mode="rgb")
    with bounded():
        try:
            pixels = processor.encode(RawFile(str(path)))
            assert (pixels.shape, pixels.dtype) == ((8, 8, 3), np.uint8)
        except BadSample as error:
            assert error.reason


TABLE = b'x,y,kind,text\n1,2.5,a,"one, two"\n3,,b,"three"\n5,6.5,a,four\n7,8.5,b,"fi""ve"\n'


@settings(max_examples=200)
@example([], 0)
@given(patches, st.integers(0, 60))
def test_tables(folder, changes, cut):
    path = folder / "table.csv"
    content = damaged(TABLE, changes, cut)
    path.write_bytes(content)
    rows = rows_read(lambda: TableSource(path=str(path)))
    assert rows == 4 if content == TABLE else rows is None or rows >= 1


HEADER = b"@timeStamps false\n@missing false\n@univariate true\n@classLabel true a b\n"
SERIES = HEADER + b"@data\n1,2,3:a\n4,5,?:b\n6,7,8:a\n"


@settings(max_examples=300)
@example([], 0)
@given(patches, st.integers(0, 60))
def test_series(folder, changes, cut):
    path = folder / "series.ts"
    content = damaged(SERIES, changes, cut)
    path.write_bytes(content)
    rows = rows_read(lambda: UcrSource(path=str(path)))
    assert rows == 3 if content == SERIES else rows is None or 1 <= rows <= 1 + content.count(b"\n")


@pytest.fixture(scope="module")
def yolo(folder: Path) -> Path:
    for name in ("images", "labels"):
        (folder / "yolo" / name).mkdir(parents=True)
    (folder / "yolo" / "classes.txt").write_text("cat\ndog\n")
    (folder / "yolo" / "images" / "a.png").write_bytes(PICTURES["PNG"])
    return folder / "yolo"


LABELS = b"0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.1 0.1\n1 0.1 0.1 0.5 0.1 0.5 0.5\n"


@settings(max_examples=200)
@example([], 0, [])
@given(patches, st.integers(0, 40), patches)
def test_yolo(yolo, changes, cut, named):
    (yolo / "labels" / "a.txt").write_bytes(damaged(LABELS, changes, cut))
    (yolo / "classes.txt").write_bytes(damaged(b"cat\ndog\n", named[:1], 0))
    # The one picture is a row whatever its labels hold, or the classes are refused.
    rows = rows_read(lambda: YoloSource(root=str(yolo)))
    assert rows == 1 if not (changes or cut or named[:1]) else rows in (None, 1)


COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 10, "height": 12}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0,
         "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]]},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 10, 12], "area": 120, "iscrowd": 1,
         "segmentation": {"size": [12, 10], "counts": [0, 120]}},
    ],
}  # fmt: skip
strange: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.one_of(st.integers(-5, 10**12), st.text(max_size=3)), max_size=5),
    st.dictionaries(st.sampled_from(["size", "counts", "id"]), st.integers(-3, 10**12), max_size=3),
)


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Key paths of everything in nested lists and mappings."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield (*prefix, key)
        yield from paths(part, (*prefix, key))


PLACES = list(paths(COCO))


@settings(max_examples=300)
@example([], set())
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), strange), max_size=3),
    st.sets(st.sampled_from(PLACES), max_size=1),
)
def test_coco_with_strange_values(folder, changes, removed):
    content = json.loads(json.dumps(COCO))
    for path, value in [*changes, *((place, KeyError) for place in removed)]:
        part = content
        try:
            for key in path[:-1]:
                part = part[key]
            if value is KeyError:
                del part[path[-1]]
            else:
                part[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has replaced what this one would change
    (folder / "a.png").write_bytes(PICTURES["PNG"])
    (folder / "coco.json").write_text(json.dumps(content))
    rows = rows_read(lambda: CocoSource(annotations=str(folder / "coco.json")))
    # As texts, since to Python `true` is equal to 1, and 1.0 too.
    unchanged = json.dumps(content) == json.dumps(COCO)
    assert rows == 1 if unchanged else rows in (None, 1)


@settings(max_examples=150)
@example([], 0)
@given(patches, st.integers(0, 300))
def test_coco_with_damaged_text(folder, changes, cut):
    (folder / "a.png").write_bytes(PICTURES["PNG"])
    whole = json.dumps(COCO).encode()
    content = damaged(whole, changes, cut)
    (folder / "text.json").write_bytes(content)
    rows = rows_read(lambda: CocoSource(annotations=str(folder / "text.json")))
    assert rows == 1 if content == whole else rows in (None, 1)


def test_a_cut_file_names_the_place(shared_data):
    with pytest.raises(DataError) as caught:
        CocoSource(annotations=str(shared_data / "bad" / "coco_bad" / "annotations_truncated.json"))
    assert "annotations_truncated.json" in caught.value.where


def test_bytes_that_are_no_text_in_a_ragged_line_are_told_by_their_line(tmp_path, capfd):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n\xff\xfe,3,4\n5,6\n")
    with pytest.raises(DataError) as caught:
        TableSource(path=str(tmp_path / "t.csv"))
    assert "not UTF-8, line 3, column 1" in str(caught.value)
    assert "Exception ignored" not in capfd.readouterr().err
