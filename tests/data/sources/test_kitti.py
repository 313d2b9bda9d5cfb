"""KITTI's labels: boxes in the picture and in space."""

import numpy as np
import pytest
from PIL import Image

from trainwright.data.sources.kitti import KittiSource
from trainwright.errors import DataError

CAR = "Car 0.00 1 -1.5 5 6 15 12 1.5 1.6 4.0 -2.0 1.7 20.0 0.3"
P2 = "P2: " + " ".join(map(str, range(12)))


def write(root, name, label=CAR, calib=P2):
    for folder in ("image_2", "label_2", "calib"):
        (root / "training" / folder).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30)).save(root / "training" / "image_2" / f"{name}.png")
    if label is not None:
        (root / "training" / "label_2" / f"{name}.txt").write_text(label)
    if calib is not None:
        (root / "training" / "calib" / f"{name}.txt").write_text(calib)


def test_real_frames_project_into_their_boxes(shared_data):
    source = KittiSource(root=str(shared_data / "kitti_mini"))
    assert (len(source), source.class_names) == (2, ("Car", "Cyclist", "Pedestrian", "Truck"))
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [0, 1]}
    for row, objects in enumerate(source.column("objects")):
        projection = source.column("projection")[row].reshape(3, 4)
        for box, space, ignored in zip(objects.boxes, objects.extra["box3d"], objects.crowd, strict=True):
            if ignored:
                assert np.isnan(space).all()
                continue
            across, down, depth = projection @ np.append(space[:3], 1.0)
            assert box[0] < across / depth < box[2] and box[1] < down / depth < box[3]
    second = source.column("objects")[1]
    assert second.labels.count("DontCare") == second.crowd.sum() == 4


def test_the_centre_lies_above_the_bottom(tmp_path):
    write(tmp_path, "0")
    objects = KittiSource(root=str(tmp_path)).column("objects")[0]
    assert objects.extra["box3d"].tolist() == [[-2.0, 1.7 - 0.75, 20.0, 1.5, 1.6, 4.0, 0.3]]
    assert objects.boxes.tolist() == [[5, 6, 15, 12]]
    assert objects.extra["occluded"].tolist() == [1] and objects.size == (30, 40)


def test_lines_and_calibrations_that_are_wrong(tmp_path):
    bad = ["Car 1 2", CAR.replace("20.0", "nan"), CAR.replace("5 6 15 12", "50 6 60 12"), CAR]
    write(tmp_path, "0", "\n".join(bad))
    write(tmp_path, "1", calib="P1: 3")
    write(tmp_path, "2", calib=None)
    write(tmp_path, "3", label=None)
    source = KittiSource(root=str(tmp_path))
    said = dict(source.faults)
    assert "3 words" in said["training/label_2/0.txt:1"]
    assert "no finite number" in said["training/label_2/0.txt:2"]
    assert "wholly outside" in said["training/label_2/0.txt:3"]
    assert "no line `P2:`" in said["training/calib/1.txt"]
    assert "is not there" in said["training/image_2/2.png"]
    assert source.notices == ["1 picture has no label file and was left out"]
    assert [len(objects) for objects in source.column("objects")] == [1]
    assert source.column("projection").tolist() == [list(range(12))]


def test_a_folder_without_pictures_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError, match="no samples") as error:
        KittiSource(root=str(tmp_path))
    assert "image_2" in error.value.why
