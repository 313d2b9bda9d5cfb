"""Tables of landmarks become one object with keypoints per picture."""

import csv

import numpy as np
import pytest
from PIL import Image

from trainwright.data.sources.landmarks import LandmarksSource
from trainwright.errors import DataError


def write(folder, lines, header="name,x0,y0,x1,y1"):
    Image.new("RGB", (40, 30)).save(folder / "a.png")
    (folder / "t.csv").write_text("\n".join([header, *lines]) + "\n")
    return str(folder / "t.csv")


def test_faces(shared_data):
    folder = shared_data / "facial_keypoints"
    source = LandmarksSource(
        path={
            "train": str(folder / "training_frames_keypoints.csv"),
            "test": str(folder / "test_frames_keypoints.csv"),
        },
        label="face",
    )
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 231, "test": 18}
    with (folder / "test_frames_keypoints.csv").open() as file:
        wanted = list(csv.reader(file))[1:]
    row = int(source.splits()["test"][0])
    assert source.sample_names()[row] == f"test/{wanted[0][0]}"
    objects = source.column("objects")[row]
    points = np.array(wanted[0][1:], dtype=float).reshape(68, 2)
    assert objects.keypoints.points[0, :, :2].tolist() == points.tolist()
    assert objects.boxes[0].tolist() == [*points.min(axis=0), *points.max(axis=0)]
    assert objects.names == ("test_frames_keypoints.csv:2",) and objects.labels == ("face",)
    for picture in source.column("image")[:3]:
        assert Image.open(picture.path).format == "PNG"  # whatever their name says


def test_mirrored_points_of_real_faces_are_faces_again(shared_data):
    folder = shared_data / "facial_keypoints"
    source = LandmarksSource(path=str(folder / "training_frames_keypoints.csv"))
    shapes = np.stack([objects.keypoints.points[0, :, :2] for objects in source.column("objects")])
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    mean = centred.mean(axis=0)
    mirrored = list(source.column("objects")[0].keypoints.mirrored)
    assert [mirrored[place] for place in mirrored] == list(range(68))
    # The mean face of many people is symmetric: mirrored and renumbered it lies on itself.
    flipped = (mean * [-1, 1])[mirrored]
    assert np.abs(flipped - mean).max() < 0.12 * np.ptp(mean[:, 0])


def test_names_tell_what_is_mirrored(tmp_path):
    path = write(tmp_path, ["a.png,1,2,11,12"])
    named = LandmarksSource(path=path, points=["left eye", "right eye"]).column("objects")[0]
    assert named.keypoints.mirrored == (1, 0)
    assert LandmarksSource(path=path).column("objects")[0].keypoints.mirrored == (0, 1)
    given = LandmarksSource(path=path, mirrored=[1, 0]).column("objects")[0]
    assert given.keypoints.mirrored == (1, 0) and given.keypoints.names == ("0", "1")
    with pytest.raises(DataError, match="from 0 to 1 once"):
        LandmarksSource(path=path, mirrored=[1, 1])
    with pytest.raises(DataError, match="1 points are named"):
        LandmarksSource(path=path, points=["eye"])


def test_lines_that_are_wrong(tmp_path):
    lines = [
        "a.png,1,2,11,12",
        "a.png,1,2,11",
        "b.png,1,2,3,4",
        "a.png,1,x,3,4",
        "a.png,50,2,60,4",
        "../a.png,1,2,3,4",
    ]
    source = LandmarksSource(path=write(tmp_path, lines))
    said = dict(source.faults)
    assert len(source) == 1 and list(said) == [f"t.csv:{line}" for line in range(3, 8)]
    for line, reason in {
        3: "4 fields where 5",
        4: "'b.png' is not in",
        5: "no finite",
        6: "outside",
        7: "not in",
    }.items():
        assert reason in said[f"t.csv:{line}"]


def test_tables_of_another_kind(tmp_path):
    with pytest.raises(DataError, match="the header names 4 columns"):
        LandmarksSource(path=write(tmp_path, ["a.png,1,2,3"], "name,x0,y0,x1"))
    with pytest.raises(DataError, match=r"first picture 'z\.png' is not found"):
        LandmarksSource(path=write(tmp_path, ["z.png,1,2,3,4"]))
