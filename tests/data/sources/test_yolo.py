"""YOLO labels: layouts, splits, boxes, outlines and keypoints, and every bad line by number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.sources.yolo import YoloSource
from trainwright.data.sources.yolo_file import PointShape, read_yolo
from trainwright.errors import DataError


def write(path, text=None, size=(40, 20)):
    """A picture, and its label file where the layout wants it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    if text is not None:
        parts = ["labels" if part == "images" else part for part in path.with_suffix(".txt").parts]
        label = type(path)(*parts)
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(text)


@pytest.mark.parametrize(
    ("kind", "role", "objects"),
    [("object_detection", "boxes", 542), ("instance_segmentation", "instances", 546)],
)
def test_real_labels(shared_data, kind, role, objects):
    source = YoloSource(
        root=str(shared_data / "coco128"),
        images="images",
        labels=f"{kind}/labels",
        config=f"{kind}/config.yaml",
    )
    found = list(source.column("objects"))
    assert (len(source), sum(map(len, found))) == (64, objects)
    assert len(source.class_names) == 80 and len({label for item in found for label in item.labels}) == 61
    assert source.kind == role and source.faults == []
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 64}
    picture = source.column("image")[0]
    with Image.open(picture.path) as opened:
        assert found[0].size == opened.size[::-1]


def test_bad_lines_have_file_line_and_reason(shared_data):
    source = YoloSource(root=str(shared_data / "bad" / "yolo_bad"))
    assert source.class_names == ("rbc", "wbc")
    said = dict(source.faults)
    for line, reason in {
        2: "class 7 is not among the 2 classes",
        3: "class -1",
        4: "larger than the picture: width 1.4",
        6: "no area: width 0",
        7: "3 numbers",
        8: "'abc' is no number",
        9: "seems to be in pixels",
    }.items():
        assert reason in said.pop(f"labels/a.txt:{line}")
    assert said == {}
    assert [len(objects) for objects in source.column("objects")] == [2, 0, 0]
    notices = " | ".join(source.notices)
    assert "1 picture has no label file and counts as background: images/no_label.jpg" in notices
    assert "1 label file has no picture and is left out: labels/orphan.txt" in notices
    assert "1 box reaches beyond" in notices


@pytest.mark.parametrize("layout", ["images/{}/p.png", "{}/images/p.png", "{}/p.png"])
def test_layouts_and_splits_by_folder(tmp_path, layout):
    for split in ("train", "valid"):
        write(tmp_path / layout.format(split), "0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    source = YoloSource(root=str(tmp_path / "data.yaml"))
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [0], "val": [1]}
    objects = source.column("objects")[0]
    assert objects.labels == ("cat",) and objects.size == (20, 40)
    assert objects.boxes.tolist() == [[15, 5, 25, 15]]
    assert YoloSource(root=str(tmp_path), splits="ignore").splits() is None


def test_splits_of_the_yaml_file(tmp_path):
    for folder in ("a", "b"):
        write(tmp_path / "images" / folder / "p.png", "1 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text(
        "train: ../images/a\nval: images/b\ntest: images/gone\nnames: {0: x, 1: y}\n"
    )
    source = YoloSource(root=str(tmp_path))
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [0], "val": [1]}
    assert any("has no pictures here: test (images/gone)" in note for note in source.notices)


def test_splits_of_lists_of_pictures(tmp_path):
    for name in ("a", "b", "c", "d"):
        write(tmp_path / "images" / f"{name}.png", "0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text("names: [cat]\ntrain: train.txt\nval: [./labels/val.txt]\n")
    (tmp_path / "train.txt").write_text("./images/a.png\n\n/home/other/set/images/b.png\nimages/gone.png\n")
    (tmp_path / "labels" / "val.txt").write_text("images\\c.png\nimages/a.png\n")
    source = YoloSource(root=str(tmp_path))
    splits = {name: [source.sample_names()[row] for row in rows] for name, rows in source.splits().items()}
    assert splits == {"train": ["images/a.png", "images/b.png"], "val": ["images/c.png"]}
    said = " ".join(source.notices)
    assert "1 entry of train.txt is no picture here: images/gone.png" in said
    assert "label files have no picture" not in said
    assert tmp_path / "train.txt" in source.files()


def test_outlines_and_keypoints(tmp_path):
    write(tmp_path / "p.png", "0 0 0 0.5 0 0.5 1\n0 0.5 0.5 0.5 0.5\n")
    source = YoloSource(root=str(tmp_path))
    objects = source.column("objects")[0]
    assert source.kind == "instances"
    assert objects.segments[0][0].tolist() == [[0, 0], [20, 0], [20, 20]] and objects.segments[1] is None
    assert objects.boxes.tolist() == [[0, 0, 20, 20], [10, 5, 30, 15]]
    (tmp_path / "p.txt").write_text("0 0.5 0.5 1 1 0.25 0.5 2 0 0 0\n")
    (tmp_path / "d.yaml").write_text("names: [face]\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n")
    pose = YoloSource(root=str(tmp_path)).column("objects")[0].keypoints
    assert pose.points.tolist() == [[[10, 10, 2], [0, 0, 0]]] and pose.mirrored == (1, 0)
    (tmp_path / "d.yaml").unlink()
    (tmp_path / "p.txt").write_text("0 0.5 0.5 1 1 0.25 0.5 0 0\n")
    short = YoloSource(root=str(tmp_path), keypoints=[2, 2], classes=["face"])
    assert short.column("objects")[0].keypoints.points.tolist() == [[[10, 10, 2], [0, 0, 0]]]


def test_what_cannot_be_settled_is_an_error(tmp_path):
    write(tmp_path / "p.png")
    with pytest.raises(DataError, match="no picture has a label file") as error:
        YoloSource(root=str(tmp_path))
    assert "p.txt" in error.value.why
    write(tmp_path / "p.png", "0 .5 .5 .1 .1")
    for text, message in [
        ("names: 5\n", "`names` is neither"),
        ("names: [a]\nkpt_shape: [x]\n", "kpt_shape"),
        ("names: [a\n", "expected"),
    ]:
        (tmp_path / "d.yaml").write_text(text)
        with pytest.raises(DataError, match=message):
            YoloSource(root=str(tmp_path))


def test_a_picture_that_cannot_be_read_is_a_fault(tmp_path):
    write(tmp_path / "p.png", "0 .5 .5 .1 .1")
    (tmp_path / "q.png").write_text("no picture")
    source = YoloSource(root=str(tmp_path))
    assert source.faults == [("q.png", "the picture's header cannot be read")]
    assert len(source) == 1


words = st.one_of(st.floats().map(repr), st.integers(-3, 9).map(str), st.text(max_size=6), st.just("0.5"))


@settings(max_examples=300)
@given(st.lists(st.lists(words, max_size=9).map(" ".join), max_size=4).map("\n".join), st.booleans())
def test_any_text_is_objects_or_problems(text, pose):
    found = read_yolo(text.encode(), {0: "a", 1: "b"}, PointShape(1, 2) if pose else None)
    lines = [line for line in text.encode().decode().splitlines() if line.split()]
    assert len(found.objects) + len(found.problems) == len(lines)
    boxes = np.array([item.box for item in found.objects], dtype=float).reshape(-1, 4)
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_a_picture_whose_labels_are_all_faulty_is_no_background(tmp_path):
    write(tmp_path / "images" / "good.png", "0 0.5 0.5 0.2 0.2\n")
    write(tmp_path / "images" / "empty.png", "")
    write(tmp_path / "images" / "bad.png", "0 0.5 0.5\n0 nan 0.5 0.2 0.2\n")
    (tmp_path / "classes.txt").write_text("cat\n")
    source = YoloSource(root=str(tmp_path))
    assert sorted(source.sample_names()) == ["images/empty.png", "images/good.png"]
    assert "none of its labels can be used" in dict(source.faults)["images/bad.png"]


def test_a_split_whose_pictures_another_one_has_is_told_as_that(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "images" / "train" / f"{name}.png", "0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text("names: [cat]\ntrain: images/train\nval: images/train\n")
    source = YoloSource(root=str(tmp_path))
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [0, 1]}
    assert source.notices == [
        "2 pictures of val (images/train) in data.yaml are used for train already, "
        "so that val has none of its own"
    ]
