"""Tables with one box per line."""

import pytest
from PIL import Image

from trainwright.data.sources.object_table import ObjectTableSource
from trainwright.errors import DataError


def write(folder, text):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30)).save(folder / name)
    (folder / "t.csv").write_text(text)
    return str(folder / "t.csv")


def test_names_of_tensorflow_and_ours_are_the_same(tmp_path):
    first = write(
        tmp_path,
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,40,30,cat,1,2,3,4\nb.png,40,30,,,,,\n",
    )
    plain = ObjectTableSource(path=first)
    assert plain.sample_names() == ["a.png", "b.png"] and plain.splits() is None
    objects = plain.column("objects")
    assert objects[0].boxes.tolist() == [[1, 2, 3, 4]] and objects[0].names == ("t.csv:2",)
    assert len(objects[1]) == 0 and objects[1].size == (30, 40)
    second = write(
        tmp_path,
        "image,label,left,top,right,bottom,split\nb.png,cat,1,2,3,4,valid\na.png,dog,5,6,7.5,8,train\n",
    )
    ours = ObjectTableSource(path=second)
    assert {name: rows.tolist() for name, rows in ours.splits().items()} == {"train": [1], "val": [0]}
    assert ours.class_names == ("cat", "dog")


def test_lines_that_are_wrong(tmp_path):
    lines = [
        "a.png,cat,1,2,3,4,train",
        "a.png,cat,9,2,3,4,train",
        "a.png,cat,1,2,inf,4,train",
        "a.png,,1,2,3,4,train",
        "a.png,cat,1,2,3,4,val",
        "z.png,cat,1,2,3,4,train",
        "/a.png,cat,1,2,3,4,train",
        "b.png,cat,1,2,3,4,spare",
        "a.png,cat",
        "a.png,cat,90,2,93,4,train",
    ]
    path = write(tmp_path, "image,label,left,top,right,bottom,split\n" + "\n".join(lines) + "\n")
    source = ObjectTableSource(path=path)
    said = dict(source.faults)
    assert len(said) == 9 and "t.csv:2" not in said
    for line, reason in {
        3: "no area",
        4: "not of finite",
        5: "no class",
        6: "in split train by an earlier line",
        7: "is not in",
        8: "no picture of the folder",
        9: "'spare' names no split",
        10: "2 fields",
        11: "wholly outside",
    }.items():
        assert reason in said[f"t.csv:{line}"]
    assert [len(objects) for objects in source.column("objects")] == [1]


def test_a_table_without_boxes(tmp_path):
    with pytest.raises(DataError, match="no column for left"):
        ObjectTableSource(path=write(tmp_path, "image,label\na.png,cat\n"))
