"""The photos that a head is to learn by heart."""

from benchmarks.overfit import LEAST_SHARE, PHOTOS, photos
from trainwright.data.sources.coco import CocoSource
from trainwright.data.sources.yolo import YoloSource


def test_people_with_points_are_large_enough(shared_data, tmp_path):
    source = photos(shared_data, tmp_path, "keypoints")
    assert source.pop("name") == "coco"
    everyone = CocoSource(**source).column("objects")
    assert len(everyone) == PHOTOS
    for people in everyone:
        annotated = (people.keypoints.points[:, :, 2] > 0).any(axis=1)
        height, width = people.size
        assert annotated.any()
        assert (people.extra["area"][annotated] >= LEAST_SHARE * height * width).all()


def test_things_have_boxes_or_outlines(shared_data, tmp_path):
    for kind in ("boxes", "instances"):
        folder = tmp_path / kind
        folder.mkdir()
        source = photos(shared_data, folder, kind)
        assert source.pop("name") == "yolo"
        found = YoloSource(**source).column("objects")
        assert len(found) == PHOTOS
        assert all(len(objects) for objects in found)
        assert all(bool(objects.segments) == (kind == "instances") for objects in found)
