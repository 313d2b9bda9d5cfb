"""Objects cut out of pictures, against windows by hand."""

import numpy as np
import pytest
from PIL import Image

from trainwright.data.objects_cut import window_of
from trainwright.data.sources.crops import CropsSource
from trainwright.errors import DataError


@pytest.fixture
def yolo(tmp_path):
    """Two pictures of noise, of 40 x 60; the first has two objects, one of which is tiny."""
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    rng = np.random.default_rng(0)
    for name in "ab":
        pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    # class, then centre and size as shares: pixels 15..45 by 10..30, and a speck.
    (tmp_path / "labels" / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.02 0.02\n")
    (tmp_path / "labels" / "b.txt").write_text("0 0.125 0.25 0.25 0.5\n")
    (tmp_path / "data.yaml").write_text("train: images\nnames: [cat, dog]\n")
    return {"name": "yolo", "root": str(tmp_path)}


def test_windows_are_those_of_the_boxes(yolo, tmp_path):
    source = CropsSource(of=yolo, margin=0.0)
    assert list(source.column("label")) == ["dog", "cat"]
    first, second = source.column("image")
    pixels = {name: np.asarray(Image.open(tmp_path / "images" / f"{name}.png")) for name in "ab"}
    np.testing.assert_array_equal(first, pixels["a"][10:30, 15:45])
    np.testing.assert_array_equal(second, pixels["b"][0:20, 0:15])
    assert [name.rpartition("#")[2] for name in source.sample_names()] == ["0", "0"]
    assert len(set(source.column("picture"))) == 2
    assert any("smaller than 4 pixels" in notice for notice in source.notices)
    assert {path.name for path in source.files()} >= {"a.png", "b.png", "a.txt", "b.txt"}


def test_a_margin_stays_within_the_picture():
    assert window_of((10, 10, 20, 30), (40, 60), 0.1) == (9, 8, 21, 32)
    assert window_of((0, 0, 60, 40), (40, 60), 0.5) == (0, 0, 60, 40)


@pytest.mark.parametrize(
    "box", [(5, 5, 5, 9), (9, 5, 5, 9), (np.nan, 0, 5, 5), (70, 0, 90, 9), (-9, -9, 0, 0)]
)
def test_what_is_no_box_has_no_window(box):
    assert window_of(box, (40, 60), 0.0) is None


def test_a_picture_that_cannot_be_read_is_left_to_its_reader(yolo, tmp_path):
    source = CropsSource(of=yolo)
    whole = (tmp_path / "images" / "b.png").read_bytes()
    (tmp_path / "images" / "b.png").write_bytes(whole[: len(whole) // 2])
    assert source.column("image")[1].read() == whole[: len(whole) // 2]
    assert source.column("image")[0].ndim == 3


def test_a_source_without_objects_is_refused():
    with pytest.raises(DataError, match="no annotated objects"):
        CropsSource(of={"name": "iris"})
