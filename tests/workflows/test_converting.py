"""Conversions: round trips keep what the target can hold, and count what it cannot."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright import registry
from trainwright.data import run_lengths
from trainwright.data.objects import Keypoints, Objects, RunLengths
from trainwright.data.sniffing import sniff
from trainwright.data.types import RawFile
from trainwright.data.writers import coco as coco_writer
from trainwright.data.writers import table as table_writer
from trainwright.data.writers import voc as voc_writer
from trainwright.data.writers import yolo as yolo_writer
from trainwright.data.writers.base import Sample
from trainwright.errors import UserError
from trainwright.workflows import converting
from trainwright.workflows.converting import convert, samples_of

HEIGHT, WIDTH = 24, 32
CLASSES = ["cat", "dog & <co>"]


def open_source(path):
    return registry.build("source", registry.validate("source", dict(sniff(path).source)))


def by_picture(path):
    """Objects by the name of the picture, and the classes."""
    source = open_source(path)
    assert list(source.faults) == []
    samples, classes = samples_of(source)
    return {Path(sample.file.path).name: sample for sample in samples}, classes


def same_boxes(ours, theirs):
    assert ours.labels == theirs.labels and ours.size == theirs.size
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-6)


@pytest.mark.parametrize("to", ["coco", "voc", "yolo", "table"])
def test_blood_cells_there(shared_data, tmp_path, to):
    done = convert(str(shared_data / "bccd"), str(tmp_path / "new"), to)
    assert (done.pictures, done.objects) == (364, 4888)
    assert done.splits == {"train": 205, "val": 87, "test": 72} and done.faults == []
    before, classes = by_picture(shared_data / "bccd")
    after, new_classes = by_picture(tmp_path / "new")
    assert new_classes == classes and set(after) == set(before)
    for name, sample in before.items():
        same_boxes(after[name].objects, sample.objects)
        assert after[name].split == sample.split
        assert after[name].file.read() == sample.file.read()
    held = "truncated" if to != "voc" else None
    flags = sum(int((s.objects.extra["truncated"] != 0).sum()) for s in before.values())
    assert done.lost == ({"values of 'truncated'": flags} if held and flags else {})


def test_coco_there_and_back_is_as_pycocotools_reads_it(shared_data, tmp_path):
    coco_api = pytest.importorskip("pycocotools.coco")
    path = shared_data / "coco_mini" / "annotations" / "instances_train2017.json"
    done = convert(str(path), str(tmp_path / "new"), "coco")
    where_from = ("coco_url", "date_captured", "flickr_url", "license")
    told = {f"values of {name!r} of images": 80 for name in where_from}
    assert (done.pictures, done.objects, done.lost) == (80, 739, told)
    first, second = (
        coco_api.COCO(str(path)),
        coco_api.COCO(str(tmp_path / "new/annotations/instances_train.json")),
    )
    names = {item["file_name"]: number for number, item in first.imgs.items()}
    checked = 0
    for number, item in second.imgs.items():
        old, new = first.imgToAnns[names[item["file_name"].split("/")[-1]]], second.imgToAnns[number]
        assert len(old) == len(new)
        for one, other in zip(old, new, strict=True):
            np.testing.assert_allclose(other["bbox"], one["bbox"], atol=1e-6)
            assert abs(other["area"] - one["area"]) < 1e-6
            assert (first.annToMask(one) == second.annToMask(other)).all()
            assert first.cats[one["category_id"]]["name"] == second.cats[other["category_id"]]["name"]
            checked += 1
    assert checked == 739


def test_outlines_through_yolo_are_the_same_masks_but_for_what_is_counted(shared_data, tmp_path):
    source = shared_data / "coco_mini" / "annotations" / "instances_train2017.json"
    done = convert(str(source), str(tmp_path / "new"), "yolo")
    before, _ = by_picture(source)
    after, _ = by_picture(tmp_path / "new")
    kept = lost = 0
    for name, sample in before.items():
        for place, segment in enumerate(sample.objects.segments):
            if isinstance(segment, tuple) and len(segment) == 1:
                np.testing.assert_allclose(after[name].objects.segments[place][0], segment[0], atol=1e-6)
                kept += 1
            else:
                assert after[name].objects.segments[place] is None
                np.testing.assert_allclose(
                    after[name].objects.boxes[place], sample.objects.boxes[place], atol=1e-6
                )
                lost += 1
    assert done.lost["outlines that are not one polygon (their boxes are written)"] == lost > 0
    assert kept + lost == 739 and done.lost["marks of crowds (the objects are written)"] == 8
    assert done.lost["values of 'area'"] == 739


def test_keypoints_there_and_back(shared_data, tmp_path):
    path = shared_data / "coco_mini" / "annotations" / "person_keypoints_train2017.json"
    before, _ = by_picture(path)
    for to in ("coco", "yolo"):
        convert(str(path), str(tmp_path / to), to)
        after, _ = by_picture(tmp_path / to)
        for name, sample in before.items():
            ours, theirs = after[name].objects.keypoints, sample.objects.keypoints
            np.testing.assert_allclose(ours.points, theirs.points, atol=1e-6)
            assert (ours.names, ours.mirrored) == (theirs.names, theirs.mirrored)


def test_class_folders_and_tables(make_photos, tmp_path):
    make_photos(tmp_path / "photos", each=3)
    done = convert(str(tmp_path / "photos"), str(tmp_path / "t"), "table")
    assert (done.pictures, done.objects, done.lost) == (6, 0, {})
    lines = (tmp_path / "t" / "data.csv").read_text().splitlines()
    assert lines[0] == "image,label" and len(lines) == 7
    back = convert(str(tmp_path / "photos"), str(tmp_path / "f"), "folder")
    assert back.pictures == 6
    for name in ("cat", "dog"):
        old, new = ({p.read_bytes() for p in (tmp_path / top / name).iterdir()} for top in ("photos", "f"))
        assert old == new
    with pytest.raises(UserError, match="have no objects, and voc is a format for objects"):
        convert(str(tmp_path / "photos"), str(tmp_path / "v"), "voc")
    assert not (tmp_path / "v").exists()


def test_pictures_of_several_classes_can_be_in_no_folder(shared_data, tmp_path):
    done = convert(str(shared_data / "coco128"), str(tmp_path / "f"), "folder")
    written = list((tmp_path / "f").rglob("*.jpg"))
    left_out = done.lost["pictures that are not of exactly one class, left out"]
    assert len(written) + left_out == 64 and left_out > 0 and done.lost["boxes"] == 542


def test_nothing_is_overwritten_or_half_written(shared_data, tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    with pytest.raises(UserError, match="exists and is not overwritten"):
        convert(str(shared_data / "bccd"), str(tmp_path / "old"), "coco")
    with pytest.raises(UserError, match="should be made in"):
        convert(str(shared_data / "bccd"), str(tmp_path / "no" / "new"), "coco")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(coco_writer, "copy_picture", full)
    with pytest.raises(converting.StorageError, match="disk is full"):
        convert(str(shared_data / "bccd"), str(tmp_path / "new"), "coco")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]


def test_faults_of_the_source_are_told(shared_data, tmp_path):
    done = convert(str(shared_data / "bad" / "coco_bad"), str(tmp_path / "new"), "voc")
    assert (done.pictures, done.objects, len(done.faults)) == (2, 3, 12)


def test_a_recipe_names_the_source(shared_data, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        f"name: x\ndata:\n  source: {{name: voc, root: {shared_data / 'bccd'}, splits: ignore}}\n"
        "  inputs: {image: {type: image, size: 32}}\n  targets: {boxes: {type: boxes, column: objects}}\n"
        "  split: {val: 0.5}\nmodel: mobilenetv2_100\n"
    )
    done = convert(str(recipe), str(tmp_path / "new"), "table")
    assert (done.pictures, done.splits) == (364, {})


number = st.floats(0, 1, width=32)


@st.composite
def pictures(draw):
    """Objects of one picture: boxes inside it, perhaps polygons or masks, flags, keypoints."""
    count = draw(st.integers(0, 3))
    boxes, segments = [], []
    kind = draw(st.sampled_from(["none", "polygon", "mask"]))
    for _ in range(count):
        left, top = draw(number) * (WIDTH - 2), draw(number) * (HEIGHT - 2)
        right = left + 1 + draw(number) * (WIDTH - 1 - left)
        bottom = top + 1 + draw(number) * (HEIGHT - 1 - top)
        boxes.append([left, top, right, bottom])
        polygon = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = True
        segments.append((polygon,) if kind == "polygon" else mask)
    keypoints = None
    if draw(st.booleans()):
        points = np.array([[[draw(number) * WIDTH, draw(number) * HEIGHT, 2.0]] * 2 for _ in range(count)])
        keypoints = Keypoints(points.reshape(-1, 2, 3), ("left eye", "right eye"), (1, 0))
    return Objects(
        size=(HEIGHT, WIDTH),
        labels=tuple(draw(st.sampled_from(CLASSES)) for _ in range(count)),
        boxes=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        segments=tuple(segments) if kind != "none" and count else (),
        keypoints=keypoints,
        crowd=np.array([draw(st.booleans()) for _ in range(count)], dtype=bool),
        extra={"difficult": np.array([float(draw(st.booleans())) for _ in range(count)])},
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(pictures(), min_size=1, max_size=3), st.data())
def test_any_objects_survive_what_the_format_can_hold(tmp_path_factory, found, data):
    folder = tmp_path_factory.mktemp("round")
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "p.png")
    if not any(len(objects) for objects in found):
        return
    with_points = found[0].keypoints is not None
    points = Keypoints(np.zeros((0, 2, 3)), ("left eye", "right eye"), (1, 0))
    samples = []
    for place, objects in enumerate(found):
        if not with_points:
            objects = replace(objects, keypoints=None)
        elif objects.keypoints is None:
            objects = replace(objects, keypoints=replace(points, points=np.zeros((len(objects), 2, 3))))
        samples.append(Sample(f"d{place}/p.png", RawFile(str(folder / "p.png")), "train", objects, None))
    writers = {"coco": coco_writer, "voc": voc_writer, "yolo": yolo_writer, "table": table_writer}
    to = data.draw(st.sampled_from(sorted(writers)))
    (folder / to).mkdir()
    lost = writers[to].write(samples, CLASSES, folder / to)
    source = open_source(folder / to)
    assert list(source.faults) == []
    again = list(source.column("objects"))
    assert len(again) == len(samples)
    for sample, objects in zip(samples, again, strict=True):
        same_boxes(objects, sample.objects)
        if to == "coco":
            assert objects.crowd.tolist() == sample.objects.crowd.tolist()
            _same_outlines(objects, sample.objects)
        if to in ("coco", "yolo") and with_points:
            np.testing.assert_allclose(objects.keypoints.points, sample.objects.keypoints.points, atol=1e-6)
        if to == "voc":
            assert objects.extra["difficult"].tolist() == sample.objects.extra["difficult"].tolist()
    crowds = sum(int(sample.objects.crowd.sum()) for sample in samples)
    assert lost["marks of crowds (the objects are written)"] == (0 if to == "coco" else crowds)


def _same_outlines(ours, theirs):
    for one, other in zip(ours.segments, theirs.segments, strict=True):
        if isinstance(one, RunLengths):
            assert (run_lengths.to_mask(one) == other).all()
        else:
            np.testing.assert_allclose(one[0], other[0], atol=1e-6)


def test_annotations_beside_the_converted_ones_are_named(shared_data, tmp_path):
    done = convert(str(shared_data / "coco_mini"), str(tmp_path / "new"), "coco")
    assert done.aside == ["captions_train2017.json", "person_keypoints_train2017.json"]
    assert convert(str(shared_data / "bccd"), str(tmp_path / "cells"), "coco").aside == []


def test_coordinates_are_written_without_what_arithmetic_left():
    from trainwright.data.writers.base import number

    assert [number(value) for value in (4.000000000000007, 0.1 + 0.2, 7.0, 1.25)] == [4, 0.3, 7, 1.25]


def test_what_only_the_files_say_is_counted_or_kept(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "in" / "a.png")
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 9, 9], "area": 81, "iscrowd": 0}
    marked = {"keypoints": [2, 3, 2, 4, 5, 1], "num_keypoints": 2, "attributes": {"hat": True}, "score": 0.5}
    described = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30, "license": 3}],
        "annotations": [annotation | marked, annotation | {"id": 2, "iscrowd": 1}],
        "categories": [
            {"id": 1, "name": "cat", "supercategory": "pet", "keypoints": ["p", "q"], "skeleton": [[1, 2]]}
        ],
    }
    (tmp_path / "in" / "c.json").write_text(json.dumps(described))
    source = str(tmp_path / "in" / "c.json")
    unread = {
        "values of 'license' of images": 1,
        "values of 'attributes' of annotations": 1,
        "values of 'score' of annotations": 1,
    }
    coco = convert(source, str(tmp_path / "coco"), "coco")
    assert coco.lost == unread
    [written] = (tmp_path / "coco" / "annotations").glob("*.json")
    again = json.loads(written.read_text())["categories"][0]
    assert (again["supercategory"], again["skeleton"]) == ("pet", [[1, 2]])
    common = {"supercategories of classes": 1, "marks of crowds (the objects are written)": 1}
    areas = {"values of 'area'": 2}
    yolo = convert(source, str(tmp_path / "yolo"), "yolo").lost
    assert yolo == unread | common | areas | {"lines between keypoints (the skeleton)": 1}
    voc = convert(source, str(tmp_path / "voc"), "voc").lost
    assert voc == unread | common | areas | {"objects' keypoints": 1}
    folder = convert(source, str(tmp_path / "folder"), "folder").lost
    assert folder == unread | common | areas | {"objects' keypoints": 1, "boxes": 2}


def test_what_a_voc_file_says_besides_is_counted(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.xml").write_text(
        "<annotation><filename>a.png</filename><size><width>40</width><height>30</height></size>"
        "<object><name>x</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>"
        "<attributes><attribute><name>hat</name></attribute></attributes>"
        "<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"
        "<object><name>x</name><pose>Unspecified</pose>"
        "<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>9</xmax><ymax>8</ymax></bndbox></object></annotation>"
    )
    unread = {"values of 'pose' of objects": 1, "values of 'attributes' of objects": 1}
    assert convert(str(tmp_path / "in"), str(tmp_path / "voc"), "voc").lost == unread
    assert convert(str(tmp_path / "in"), str(tmp_path / "coco"), "coco").lost == unread | {
        "values of 'truncated'": 1
    }
