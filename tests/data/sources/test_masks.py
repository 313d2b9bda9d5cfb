"""Pictures and index masks: lists, sibling folders, and masks that do not fit."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from trainwright.data.sources.masks import MasksSource
from trainwright.errors import DataError


def write(path, size=(8, 6), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def test_camvid_by_its_lists(shared_data):
    source = MasksSource(root=str(shared_data / "camvid"))
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 40, "val": 12, "test": 12}
    ids = set()
    for picture, mask in zip(source.column("image"), source.column("mask"), strict=True):
        assert picture.path.split("/")[-1] == mask.path.split("/")[-1]
        with Image.open(mask.path) as opened:
            ids |= set(np.unique(np.asarray(opened)).tolist())
    assert ids <= set(range(12)) and {0, 10, 11} <= ids
    assert (
        source.faults == []
        and MasksSource(root=str(shared_data / "camvid"), splits="ignore").splits() is None
    )


def test_semantic_masks_with_named_classes(shared_data):
    source = MasksSource(
        root=str(shared_data / "coco128"),
        images="images",
        masks="semantic_segmentation/masks",
        config="semantic_segmentation/config.yaml",
    )
    assert (len(source), {name: len(rows) for name, rows in source.splits().items()}) == (64, {"train": 64})
    assert source.class_names[:2] == ("unlabeled", "person")
    assert (source.class_ids[0], source.class_ids[-1]) == (0, 200)


@pytest.mark.parametrize(
    ("images", "masks"), [("images", "masks"), ("img", "gt"), ("JPEGImages", "SegmentationClass")]
)
def test_sibling_folders_are_found(tmp_path, images, masks):
    for split in ("train", "test"):
        write(tmp_path / split / images / "a.jpg", mode="RGB")
        write(tmp_path / split / masks / "a.png")
    source = MasksSource(root=str(tmp_path))
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [1], "test": [0]}
    assert source.sample_names() == [f"test/{images}/a.jpg", f"train/{images}/a.jpg"]


def test_masks_that_are_missing_alone_or_of_another_size(tmp_path, shared_data):
    write(tmp_path / "images" / "a.png")
    write(tmp_path / "masks" / "a.png")
    write(tmp_path / "images" / "b.png")
    write(tmp_path / "masks" / "c.png")
    write(tmp_path / "images" / "d.png", size=(160, 120))
    bad = (shared_data / "bad" / "mask_wrong_size_and_class.png").read_bytes()
    (tmp_path / "masks" / "d.png").write_bytes(bad)
    source = MasksSource(root=str(tmp_path))
    said = dict(source.faults)
    assert said["images/b.png"] == "it has no mask in masks"
    assert said["images/d.png"].startswith("the picture has 160x120 pixels, its mask 80x60")
    assert source.notices == ["1 mask has no picture and was left out: masks/c.png"]
    assert source.sample_names() == ["images/a.png"]


def test_lists_that_are_wrong(tmp_path):
    write(tmp_path / "p" / "a.png")
    write(tmp_path / "m" / "a.png")
    (tmp_path / "train.txt").write_text("p/a.png m/a.png\np/b.png m/a.png\n/etc/x.png m/a.png\np/a.png\n\n")
    source = MasksSource(root=str(tmp_path))
    assert Counter(name for name, _ in source.faults) == {f"train.txt:{line}": 1 for line in (2, 3, 4)}


def test_nothing_that_looks_like_masks(tmp_path):
    write(tmp_path / "images" / "a.png")
    with pytest.raises(DataError, match="no folder of masks is found") as error:
        MasksSource(root=str(tmp_path))
    assert "data.source.masks" in error.value.fix
