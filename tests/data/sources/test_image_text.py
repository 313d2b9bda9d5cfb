"""Pictures with texts, in text files and in COCO's captions."""

import json

import pytest

from trainwright.data.sources.coco_captions import CocoCaptionsSource
from trainwright.data.sources.image_text import ImageTextSource
from trainwright.errors import DataError


def test_text_files_beside_pictures(tmp_path):
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "a.jpg").write_bytes(b"x")
        (tmp_path / split / "a.txt").write_text(f" a photo of {split}\n")
    for name, text in [("b", None), ("c", b"  "), ("d", b"\xff\xfe\x00")]:
        (tmp_path / f"{name}.jpg").write_bytes(b"x")
        if text is not None:
            (tmp_path / f"{name}.txt").write_bytes(text)
    (tmp_path / "e.txt").write_text("alone")
    source = ImageTextSource(root=str(tmp_path))
    assert source.column("text") == ["a photo of train", "a photo of val"]
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [0], "val": [1]}
    said = dict(source.faults)
    assert said["b.jpg"] == "b.txt is not there" and said["c.jpg"] == "c.txt is empty"
    assert "no UTF-8" in said["d.jpg"]
    assert source.notices == ["1 text has no picture and was left out: e.txt"]
    assert len(source.files()) == 4


def test_captions_of_coco(shared_data):
    path = shared_data / "coco_mini" / "annotations" / "captions_train2017.json"
    first, each = (
        CocoCaptionsSource(annotations=str(path)),
        CocoCaptionsSource(annotations=str(path), captions="each"),
    )
    assert (len(first), len(each), len(set(each.sample_names()))) == (80, 400, 400)
    assert first.notices == ["320 further captions of the same pictures were left out"]
    listed = json.loads(path.read_text())
    by_picture = {item["id"]: item["file_name"] for item in listed["images"]}
    wanted = {(by_picture[item["image_id"]], item["caption"].strip()) for item in listed["annotations"]}
    names = [name.split(" ")[0] for name in each.sample_names()]
    assert set(zip(names, each.column("caption"), strict=True)) == wanted


def test_captions_that_are_wrong(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    images = [{"id": 1, "file_name": "a.png", "width": 4, "height": 3}]
    found = [{"id": 1, "image_id": 1, "caption": "yes"}, {"id": 2, "image_id": 9, "caption": "no"},
             {"id": 3, "image_id": 1, "caption": 5}, 7]  # fmt: skip
    (tmp_path / "x.json").write_text(json.dumps({"images": images, "annotations": found}))
    source = CocoCaptionsSource(annotations=str(tmp_path / "x.json"))
    assert source.column("caption") == ["yes"]
    assert [name for name, _ in source.faults] == [f"x.json: annotation {n}" for n in ("2", "3", "number 3")]
    (tmp_path / "x.json").write_text(json.dumps({"images": images, "annotations": [{"bbox": [1, 2, 3, 4]}]}))
    with pytest.raises(DataError, match="no captions"):
        CocoCaptionsSource(annotations=str(tmp_path / "x.json"))
