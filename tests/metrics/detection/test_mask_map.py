"""Average precision of masks against pycocotools, which sees the masks themselves."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainwright.data.geometry import Geometry
from trainwright.data.processors.instances import InstancesProcessor
from trainwright.data.sources.coco import CocoSource
from trainwright.metrics.map import map as mean_average_precision
from trainwright.models.heads.mask_rcnn import MaskRcnn
from trainwright.models.heads.region_masks import cropped, pasted

KEYS = ("map", "map50", "map75", "map_small", "map_medium", "map_large")
KEYS += ("ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large")


def guesses(target, size, seed):
    """Cut-out true masks under moved boxes, some of another class, and what is nothing at all."""
    draw = torch.Generator().manual_seed(seed)
    boxes = target["boxes"].repeat(1, 2, 1)
    moved = boxes + torch.randn(boxes.shape, generator=draw) * 0.06 * (boxes[..., 2:] - boxes[..., :2]).mean()
    moved = torch.cat([moved[..., :2], torch.maximum(moved[..., 2:], moved[..., :2] + 1)], -1)
    limits = torch.tensor([size[1], size[0]] * 2)
    moved = torch.minimum(moved.clamp_min(0), limits)
    rows = torch.arange(target["labels"].shape[1]).repeat(2).expand(len(boxes), -1)
    labels = target["labels"].repeat(1, 2)
    classes = int(labels.max()) + 1
    other = torch.rand(labels.shape, generator=draw) < 0.1
    labels = torch.where(other & (labels >= 0), (labels + 1) % classes, labels)
    labels = torch.where(torch.rand(labels.shape, generator=draw) < 0.2, -1, labels)
    scores = (torch.randint(1, 20, labels.shape, generator=draw) / 20).sort(1, descending=True).values
    crops = cropped(target["masks"], rows, boxes, size, 28).mul(255).to(torch.uint8)
    return {"boxes": moved, "labels": labels, "scores": scores, "crops": crops}


def coco_numbers(answer, target, size):
    """The numbers of pycocotools on the masks, NaN for its -1."""
    coco, cocoeval, masks = (
        pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval", "mask")
    )

    def dataset(labels, drawn, scores=None):
        entries = []
        for image, row in zip(*np.nonzero(labels >= 0), strict=True):
            pixels = np.asfortranarray(drawn[image, row].astype(np.uint8))
            entry = {
                "id": len(entries) + 1,
                "image_id": int(image) + 1,
                "category_id": int(labels[image, row]) + 1,
                "segmentation": masks.encode(pixels),
                "area": int(pixels.sum()),
                "bbox": [0, 0, 1, 1],
                "iscrowd": 0,
            }
            entries.append(entry if scores is None else entry | {"score": float(scores[image, row])})
        made = coco.COCO()
        made.dataset = {
            "info": {},
            "images": [{"id": n + 1, "height": size[0], "width": size[1]} for n in range(len(labels))],
            "categories": [{"id": number} for number in range(1, 100)],
            "annotations": entries,
        }
        made.createIndex()
        return made

    flat = answer["crops"].flatten(0, 1).float() / 255
    drawn = pasted(flat, answer["boxes"].flatten(0, 1), size).unflatten(0, answer["labels"].shape).numpy()
    with contextlib.redirect_stdout(io.StringIO()):
        truth = dataset(target["labels"].numpy(), target["masks"].numpy())
        found = dataset(answer["labels"].numpy(), drawn, answer["scores"].numpy())
        evaluation = cocoeval.COCOeval(truth, found, "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {key: value if value > -1 else np.nan for key, value in zip(KEYS, evaluation.stats, strict=True)}


def compared(answer, target, size):
    """What scoring keeps."""
    return MaskRcnn.compare(SimpleNamespace(image_size=size), answer, target)


@pytest.mark.parametrize("seed", range(6))
def test_random_masks_are_scored_as_by_coco(seed):
    draw = torch.Generator().manual_seed(seed)
    size = (64, 96) if seed % 2 else (180, 200)
    limits = torch.tensor([size[1], size[0]] * 2)
    ends = torch.rand(5, 6, 2, 2, generator=draw).sort(2).values.flatten(2) * limits
    ends[..., 2:] = torch.minimum(ends[..., 2:] + 3, limits[:2])
    noise = torch.rand(30, 28, 28, generator=draw)
    masks = pasted(noise, ends.flatten(0, 1), size).unflatten(0, (5, 6)).to(torch.uint8)
    labels = torch.randint(-1, 3, (5, 6), generator=draw)
    target = {"boxes": ends, "labels": labels, "masks": masks}
    answer = guesses(target, size, seed)
    ours = mean_average_precision(compared(answer, target, size), target)
    want = coco_numbers(answer, target, size)
    assert want["map50"] > 0
    assert ours == pytest.approx(want, abs=1e-6, nan_ok=True)


def test_masks_of_photos_are_scored_as_by_coco(shared_data):
    pytest.importorskip("pycocotools")
    source = CocoSource(
        annotations=str(shared_data / "coco_mini" / "annotations" / "instances_train2017.json")
    )
    objects = list(source.column("objects"))[:24]
    size = (160, 200)
    processor = InstancesProcessor(outline="box")
    processor.follow(Geometry(size))
    processor.fit(objects)
    processor.survey(objects)
    target = processor.to_tensor(torch.from_numpy(np.stack([processor.encode(item) for item in objects])))
    answer = guesses(target, size, 0)
    ours = mean_average_precision(compared(answer, target, size), target)
    want = coco_numbers(answer, target, size)
    assert 0.2 < want["map50"] < 1
    assert ours == pytest.approx(want, abs=1e-6, nan_ok=True)
