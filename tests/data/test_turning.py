"""Annotations of pictures that EXIF turns: what is marked in the stored pixels is so in the upright ones."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from trainwright.data.objects import Keypoints, Objects
from trainwright.data.run_lengths import from_mask, to_mask
from trainwright.data.sources.coco import CocoSource
from trainwright.data.sources.coco_panoptic import CocoPanopticSource
from trainwright.data.sources.voc import VocSource
from trainwright.data.turning import turned, turned_points

TALL, WIDE = 20, 30


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    return made


def seen(stored: np.ndarray, orientation: int) -> np.ndarray:
    """By Pillow."""
    picture = Image.fromarray(stored)
    picture.getexif().update(exif(orientation))
    return np.asarray(ImageOps.exif_transpose(picture))


@given(
    st.integers(1, 8), st.integers(0, 25), st.integers(0, 15), st.integers(1, 5), st.integers(1, 5)
)  # fmt: skip
def test_a_marked_box_mask_and_point_stay_on_what_they_mark(orientation, left, top, wide, high):
    mask = np.zeros((TALL, WIDE), dtype=np.uint8)
    mask[top : top + high, left : left + wide] = 255
    polygon = np.array(
        [[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]], float
    )
    points = np.array([[[left + 0.5, top + 0.5, 2], [7, 7, 0]]], dtype=float)
    objects = Objects(
        (TALL, WIDE),
        ("a", "a", "a"),
        np.tile([left, top, left + wide, top + high], (3, 1)).astype(float),
        segments=((polygon,), from_mask(mask > 0), mask > 0),
        keypoints=Keypoints(np.repeat(points, 3, axis=0), ("nose", "none")),
    )
    found = turned(objects, orientation)
    upright = seen(mask, orientation) > 0
    assert found.size == upright.shape
    rows, columns = np.flatnonzero(upright.any(axis=1)), np.flatnonzero(upright.any(axis=0))
    assert found.boxes[0].tolist() == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert np.array_equal(to_mask(found.segments[1]), upright)
    assert np.array_equal(found.segments[2], upright)
    corners = found.segments[0][0]
    assert [*corners.min(axis=0), *corners.max(axis=0)] == found.boxes[0].tolist()
    mark = np.zeros((TALL, WIDE), dtype=np.uint8)
    mark[top, left] = 1
    x, y, _ = found.keypoints.points[0, 0]
    assert seen(mark, orientation)[int(y), int(x)] == 1
    assert found.keypoints.points[0, 1].tolist() == [7, 7, 0]


@pytest.fixture
def photo(tmp_path):
    """`a.jpg` is stored lying and EXIF holds it upright; `b.jpg` is like it without EXIF."""
    stored = np.zeros((TALL, WIDE, 3), dtype=np.uint8)
    Image.fromarray(stored).save(tmp_path / "a.jpg", exif=exif(6))
    Image.fromarray(stored).save(tmp_path / "b.jpg")
    return tmp_path


def coco(folder, sizes):
    images = [
        {"id": number, "file_name": f"{name}.jpg", "height": height, "width": width}
        for number, (name, (height, width)) in enumerate(zip("ab", sizes, strict=True))
    ]
    annotations = [
        {"id": number, "image_id": number, "category_id": 1, "bbox": [2, 3, 5, 4], "area": 20, "iscrowd": 0}
        for number in range(2)
    ]
    described = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "x"}]}
    (folder / "c.json").write_text(json.dumps(described))
    return CocoSource(annotations=str(folder / "c.json"), images=str(folder))


def test_coco_in_the_stored_frame_is_turned_and_told(photo):
    source = coco(photo, [(TALL, WIDE), (TALL, WIDE)])
    first, second = (source.column("objects")[row] for row in range(2))
    assert first.size == (WIDE, TALL)
    # Turned a quarter clockwise: x is the height less the lower edge, y the left edge.
    assert first.boxes.tolist() == [[TALL - 7, 2, TALL - 3, 7]]
    assert second.boxes.tolist() == [[2, 3, 7, 7]]
    told = "1 picture is annotated as stored, before EXIF turns it; its annotations are turned along"
    assert told in source.notices


def test_coco_in_the_upright_frame_stays(photo):
    source = coco(photo, [(WIDE, TALL), (TALL, WIDE)])
    assert source.column("objects")[0].boxes.tolist() == [[2, 3, 7, 7]]
    assert not source.faults and not any("EXIF" in notice for notice in source.notices)


def test_a_size_exchanged_without_exif_is_a_fault(photo):
    source = coco(photo, [(WIDE, TALL), (WIDE, TALL)])
    assert len(source) == 1
    assert "the annotation says 20x30 pixels, the picture has 30x20" in source.faults[0][1]


def test_voc_in_the_stored_frame_is_turned(photo):
    (photo / "b.jpg").unlink()
    (photo / "a.xml").write_text(
        "<annotation><filename>a.jpg</filename>"
        f"<size><width>{WIDE}</width><height>{TALL}</height><depth>3</depth></size>"
        "<object><name>x</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>7</xmax><ymax>7</ymax></bndbox>"
        "</object></annotation>"
    )
    source = VocSource(root=str(photo))
    objects = source.column("objects")[0]
    assert objects.size == (WIDE, TALL)
    assert objects.boxes.tolist() == [[TALL - 7, 2, TALL - 3, 7]]
    assert any("annotated as stored" in notice for notice in source.notices)


def test_a_panoptic_mask_of_the_stored_picture_is_turned(photo):
    numbers = np.zeros((TALL, WIDE, 3), dtype=np.uint8)
    numbers[3:7, 2:7, 0] = 9
    (photo / "masks").mkdir()
    Image.fromarray(numbers).save(photo / "masks" / "a.png")
    described = {
        "images": [{"id": 0, "file_name": "a.jpg", "height": TALL, "width": WIDE}],
        "annotations": [
            {"image_id": 0, "file_name": "a.png", "segments_info": [{"id": 9, "category_id": 1}]}
        ],
        "categories": [{"id": 1, "name": "x", "isthing": 1}],
    }
    (photo / "p.json").write_text(json.dumps(described))
    source = CocoPanopticSource(
        annotations=str(photo / "p.json"), images=str(photo), masks=str(photo / "masks")
    )
    objects = source.column("objects")[0]
    assert (objects.size, objects.boxes.tolist()) == ((WIDE, TALL), [[TALL - 7, 2, TALL - 3, 7]])
    mask = source.column("mask")[0]
    assert mask.shape == (WIDE, TALL)
    assert (mask[2:7, TALL - 7 : TALL - 3] == 0).all() and (mask != 255).sum() == 20


def test_a_camera_sees_its_points_where_they_are_turned_to():
    camera = np.array([[50.0, 0, 20, 1], [0, 60, 15, 0], [0, 0, 1, 0]])
    objects = Objects((30, 40), (), np.zeros((0, 4)), projection=camera)
    for orientation in range(2, 9):
        x, y, depth = camera @ [0.3, 0.2, 2, 1]
        place = turned_points(np.array([x / depth, y / depth]), orientation, (30, 40))
        across, down, far = turned(objects, orientation).projection @ [0.3, 0.2, 2, 1]
        np.testing.assert_allclose([across / far, down / far], place)
