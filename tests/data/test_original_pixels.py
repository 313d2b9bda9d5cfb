"""Areas and distances in pixels of the annotated pictures, against pycocotools and by hand."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
import torch

from tests.metrics.detection.coco import KEYS
from trainwright.data.geometry import Geometry
from trainwright.data.objects import Keypoints, Objects
from trainwright.data.original_pixels import OriginalPixels
from trainwright.data.processors.boxes import BoxesProcessor
from trainwright.data.processors.keypoints import KeypointsProcessor
from trainwright.data.sources.coco import CocoSource
from trainwright.metrics.keypoint_map import keypoint_map
from trainwright.metrics.map import map as mean_average_precision


def fitted(processor, objects, size, resize="stretch"):
    processor.follow(Geometry(size, resize))
    processor.fit(objects)
    processor.survey(objects)
    return processor


def tensors(processor, objects):
    return processor.to_tensor(torch.from_numpy(np.stack([processor.encode(item) for item in objects])))


def box(*corners, size=(100, 200), **extra):
    count = len(corners)
    return Objects(size, ("cat",) * count, np.array(corners, float).reshape(-1, 4), extra=extra)


@pytest.mark.parametrize(
    ("resize", "wanted", "frame"),
    [
        ("stretch", (4.0, 2.0), [0, 0, 50, 50]),
        ("letterbox", (4.0, 4.0), [0, 12, 50, 37]),
        ("crop", (2.0, 2.0), [0, 0, 50, 50]),
    ],
)
def test_a_pixel_is_as_large_and_lies_where_the_resize_rule_says(resize, wanted, frame):
    objects = [box((60, 10, 120, 50))]
    processor = fitted(BoxesProcessor(), objects, (50, 50), resize)
    told = OriginalPixels(processor, objects).of(np.array([0]))
    assert told["pixel_size"].tolist() == [list(wanted)]
    assert told["areas"].tolist() == [[-1.0]]
    assert told["frame"].tolist() == [frame]


def test_stated_areas_stand_in_the_rows_of_their_objects():
    objects = [
        # The second is too narrow once it is resized, and is left out.
        box((0, 0, 40, 40), (50, 50, 51, 90), (60, 10, 120, 50), area=np.array([7.0, 8.0, 9.0])),
        box(),
    ]
    processor = fitted(BoxesProcessor(min_size=2.0), objects, (50, 50))
    told = OriginalPixels(processor, objects).of(np.array([1, 0]))
    np.testing.assert_array_equal(told["areas"], [[-1.0, -1.0], [7.0, 9.0]])


def test_sizes_of_boxes_of_resized_photos_are_those_of_coco(shared_data):
    coco, cocoeval = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))
    path = shared_data / "coco_mini" / "annotations" / "instances_train2017.json"
    source = CocoSource(annotations=str(path))
    everything = list(source.column("objects"))
    rows = [row for row, objects in enumerate(everything) if len(objects) and not objects.crowd.any()][:40]
    objects = [everything[row] for row in rows]
    processor = fitted(BoxesProcessor(min_size=0.0), everything, (96, 128))
    target = tensors(processor, objects)
    draw = torch.Generator().manual_seed(0)
    sides = target["boxes"][..., 2:] - target["boxes"][..., :2]
    moved = target["boxes"] + torch.randn(target["boxes"].shape, generator=draw) * 0.08 * sides.repeat(
        1, 1, 2
    )
    # Heads end their boxes at the border, too.
    moved = torch.minimum(moved.clamp_min(0), torch.tensor([128.0, 96.0, 128.0, 96.0]))
    # No two scores are alike, since which goes first is another question.
    scores = torch.rand(target["labels"].shape, generator=draw).sort(1, descending=True).values
    answer = {"boxes": moved, "labels": target["labels"], "scores": scores}
    originals = OriginalPixels(processor, everything).of(np.array(rows))
    ours = mean_average_precision(answer, target | originals)

    annotations = json.loads(path.read_text())
    kinds = {kind["name"]: kind["id"] for kind in annotations["categories"]}
    ids = [int(source.names[row].split("/")[-1].split(".")[0]) for row in rows]
    found = []
    for place, image in enumerate(ids):
        told = processor.decode({name: value[place] for name, value in answer.items()}, objects[place].size)
        for label, score, (left, top, right, bottom) in zip(
            told.labels, told.extra["score"], told.boxes.tolist(), strict=True
        ):
            entry = {"image_id": image, "category_id": kinds[label], "score": float(score)}
            found.append(entry | {"bbox": [left, top, right - left, bottom - top]})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(path))
        evaluation = cocoeval.COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.params.imgIds = ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    want = dict(zip(KEYS, evaluation.stats, strict=True))
    assert all(0.1 < want[f"map_{size}"] < 0.99 for size in ("small", "medium", "large"))
    assert ours == pytest.approx(want, abs=1e-6)
    # In processed pixels nearly everything would be small.
    assert mean_average_precision(answer, target)["map_large"] != pytest.approx(want["map_large"], abs=1e-3)


def test_points_are_as_alike_as_in_the_original():
    points = Keypoints(np.array([[[10.0, 20, 2], [150, 80, 2]]]), ("a", "b"))
    one = Objects((100, 200), ("cat",), np.array([[0.0, 0, 200, 100]]), keypoints=points)
    kept, halved = (fitted(KeypointsProcessor(), [one], size) for size in ((100, 200), (50, 200)))
    scored = []
    for processor, down in ((kept, 1.0), (halved, 0.5)):
        target = tensors(processor, [one])
        moved = target["points"] + torch.tensor([6.0, 20.0 * down, 0.0])
        answer = {"points": moved, "labels": target["labels"], "scores": torch.ones(1, 1)}
        originals = OriginalPixels(processor, [one]).of(np.array([0]))
        scored.append(keypoint_map(answer, target | originals, sigmas=0.1))
    assert scored[0] == pytest.approx(scored[1], nan_ok=True)
    assert 0 < scored[0]["map"] < 1
