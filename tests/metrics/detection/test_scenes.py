"""Matches of one picture against pycocotools."""

import numpy as np
import pytest

from trainwright.metrics.detection.scenes import Scene, matched


def scene(rng, count, classes=2, scores=True):
    low = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 40, (count, 2))], axis=1)
    values = np.sort(rng.random(count))[::-1] if scores else np.ones(count)
    return Scene(boxes, rng.integers(0, classes, count), values)


@pytest.mark.parametrize("seed", range(8))
def test_matches_are_those_of_pycocotools(seed):
    pycocotools = pytest.importorskip("pycocotools.cocoeval")
    from pycocotools.coco import COCO

    rng = np.random.default_rng(seed)
    true = scene(rng, 12, scores=False)
    jitter = true.boxes + rng.normal(0, 3, true.boxes.shape)
    found = scene(rng, 10)
    boxes = np.concatenate([jitter, found.boxes])
    labels = np.concatenate([true.labels, found.labels])
    scores = rng.permutation(len(boxes)) / len(boxes)
    order = np.argsort(-scores)
    found = Scene(boxes[order], labels[order], scores[order])

    def listed(one, **more):
        return [
            {
                "id": place + 1,
                "image_id": 1,
                "category_id": int(label) + 1,
                "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                "area": float((box[2] - box[0]) * (box[3] - box[1])),
                "iscrowd": 0,
                "score": float(score),
                **more,
            }
            for place, (box, label, score) in enumerate(zip(one.boxes, one.labels, one.scores, strict=True))
        ]

    def coco(annotations):
        made = COCO()
        made.dataset = {
            "info": {},
            "images": [{"id": 1}],
            "categories": [{"id": 1}, {"id": 2}],
            "annotations": annotations,
        }
        made.createIndex()
        return made

    evaluation = pycocotools.COCOeval(coco(listed(true)), coco(listed(found)), "bbox")
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.evaluate()
    expected = np.full(len(found.labels), -1)
    for result in evaluation.evalImgs:
        if result is not None and result["aRng"] == [0, 1e10]:
            for id, match in zip(result["dtIds"], result["dtMatches"][0], strict=True):
                expected[id - 1] = int(match) - 1
    assert matched(found, true, 0.5).tolist() == expected.tolist()


def test_nothing_found_and_nothing_there():
    none = Scene(np.zeros((0, 4)), np.zeros(0, dtype=np.int64), np.zeros(0))
    one = Scene(np.array([[0.0, 0, 4, 4]]), np.array([0]), np.ones(1))
    assert matched(none, one, 0.5).tolist() == []
    assert matched(one, none, 0.5).tolist() == [-1]
