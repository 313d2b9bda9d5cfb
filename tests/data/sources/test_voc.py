"""Pascal VOC: real files, every fault with its line, and XML that can do no harm."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.sources.plain_xml import parse
from trainwright.data.sources.voc import VocSource
from trainwright.data.sources.voc_file import read_voc
from trainwright.errors import DataError

OBJECT = (
    "<object>\n<name>{}</name><bndbox>"
    "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)


def write(folder, name="a", objects=(("cat", 1, 1, 40, 30),), size=(40, 30), picture="png"):
    folder.mkdir(exist_ok=True)
    if picture:
        Image.new("RGB", (40, 30)).save(folder / f"{name}.{picture}")
    boxes = "\n".join(OBJECT.format(*item) for item in objects)
    width, height = size
    size_element = f"<size><width>{width}</width><height>{height}</height></size>"
    text = f"<annotation><filename>{name}.{picture}</filename>{size_element}\n{boxes}\n</annotation>"
    (folder / f"{name}.xml").write_text(text)


def test_blood_cells(shared_data):
    source = VocSource(root=str(shared_data / "bccd"))
    assert {name: len(rows) for name, rows in source.splits().items()} == {
        "train": 205,
        "val": 87,
        "test": 72,
    }
    labels = Counter(label for objects in source.column("objects") for label in objects.labels)
    assert labels == {"RBC": 4155, "WBC": 372, "Platelets": 361}
    assert source.class_names == ("Platelets", "RBC", "WBC")
    assert source.faults == [] and source.notices == ["2 boxes are one pixel wide or high"]
    row = source.sample_names().index("JPEGImages/BloodImage_00000.jpg")
    first = source.column("objects")[row]
    assert first.size == (480, 640)
    assert first.boxes[0].tolist() == [259, 176, 491, 376]  # xmin 260, ymin 177, counted from 1
    assert first.names[0] == "Annotations/BloodImage_00000.xml:14"


def test_a_bad_file_is_reported_object_by_object(shared_data, tmp_path):
    (tmp_path / "a.xml").write_bytes((shared_data / "bad" / "voc_bad.xml").read_bytes())
    write(tmp_path, "b")
    source = VocSource(root=str(tmp_path))
    said = [f"{name}: {reason}" for name, reason in source.faults]
    assert said == [
        "a.xml:1, object 2: the object 'wbc' has no ymin, xmax, ymax",
        "a.xml:1: the XML is not whole: cut off",
        "a.xml:1, object 1: the box of 'rbc' has no area: xmin 60, ymin 10, xmax 20, ymax 40",
    ]
    assert source.sample_names() == ["b.png"]


def test_the_first_pixel_is_one_or_zero(tmp_path):
    write(tmp_path, objects=[("cat", 1, 1, 40, 30), ("cat", 5, 6, 7, 9)])
    assert VocSource(root=str(tmp_path)).column("objects")[0].boxes.tolist() == [[0, 0, 40, 30], [4, 5, 7, 9]]
    as_it_stands = VocSource(root=str(tmp_path), first_pixel=0)
    assert as_it_stands.column("objects")[0].boxes.tolist() == [[1, 1, 40, 30], [5, 6, 7, 9]]


def test_boxes_sizes_pictures_and_classes_that_are_wrong(tmp_path):
    boxes = [("cat", 50, 1, 60, 9), ("dgo", 1, 1, 9, 9), ("dog", 30, 20, 50, 35), ("cat", "nan", 1, 2, 3)]
    write(tmp_path, "a", boxes)
    write(tmp_path, "b", size=(30, 40))
    write(tmp_path, "c", picture=None)
    source = VocSource(root=str(tmp_path), classes=["cat", "dog"])
    said = dict(source.faults)
    assert "lies wholly outside" in said["a.xml:2"]
    assert said["a.xml:4"].endswith("(did it mean 'dog'?)")
    assert "no four numbers" in said["a.xml:8"]
    assert "says 30x40 pixels, the picture has 40x30" in said["b.xml"]
    assert "is not there" in said["c.xml"]
    assert source.sample_names() == ["a.png"]
    assert any("1 box reaches beyond" in note for note in source.notices)


def test_lists_of_splits(tmp_path):
    for name in "abcd":
        write(tmp_path, name)
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n")
    (lists / "val.txt").write_text("c\ngone\n")
    source = VocSource(root=str(tmp_path))
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [0, 1], "val": [2]}
    notices = " | ".join(source.notices)
    assert "1 name of ImageSets/Main/val.txt has no usable XML" in notices
    assert "1 sample is in none of the splits" in notices
    assert VocSource(root=str(tmp_path), splits="ignore").splits() is None
    (lists / "val.txt").write_text("b\n")
    with pytest.raises(DataError, match="b is in train already") as error:
        VocSource(root=str(tmp_path))
    assert error.value.where.endswith("val.txt:1")


BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b"<annotation>&c;</annotation>"
)
OUTSIDE = (
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'
)


@pytest.mark.parametrize("data", [BOMB, OUTSIDE])
def test_entities_are_never_expanded(data):
    document = parse(data)
    assert document.root is None and "document type" in document.error
    assert "document type" in read_voc(data).damage[1]


def test_nesting_has_an_end():
    assert "deeper than" in parse(b"<annotation>" + b"<a>" * 100_000).error
    assert read_voc(b"").damage is not None


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 400))
def test_damaged_files_never_crash(noise, place):
    whole = OBJECT.format("cat", 1, 2, 3, 4).encode()
    data = b"<annotation>" + whole + b"</annotation>"
    found = read_voc(data[:place] + noise + data[place:])
    boxes = np.array([item.box for item in found.objects], dtype=float)
    assert np.isfinite(boxes).all()
    assert found.objects or found.problems or found.damage or noise


def test_objects_on_one_line_have_places_of_their_own(tmp_path):
    write(tmp_path, objects=[("cat", 1, 1, 9, 9), ("cat", 30, 1, 20, 9), ("dog", 9, 9, 30, 30)])
    path = tmp_path / "a.xml"
    path.write_text(path.read_text().replace("\n", ""))
    source = VocSource(root=str(tmp_path))
    assert source.column("objects")[0].names == ("a.xml:1, object 1", "a.xml:1, object 3")
    assert [name for name, _ in source.faults] == ["a.xml:1, object 2"]
