"""torchvision's detectors trained on BCCD for given seconds of CPU, in a plain loop.

The pictures, mirror images, resolution, batch, optimizer and schedule are those of our recipes; the learning
rate is the best of several on the validation pictures.
"""

from __future__ import annotations

import random
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.workloads.detection import networks

CLASSES = ("Platelets", "RBC", "WBC")
SHAPE = networks.Shape(240, 320, channels=64, depth=2)
BATCH, RATES = 8, (1e-3, 2e-3, 4e-3)
WEIGHT_DECAY, WARM_UP = 0.05, 0.3
LEAST_SCORE = 0.05


@dataclass(frozen=True)
class Pictures:
    """A split, decoded.

    Attributes:
        images: Normalised `[N, 3, H, W]`.
        boxes: In pixels of these, `[n, 4]` for each picture.
        labels: 0 to 2, `[n]` for each picture.
    """

    images: Tensor
    boxes: list[Tensor]
    labels: list[Tensor]


def pictures(root: Path, split: str) -> Pictures:
    """The pictures of a split, half as large as they are."""
    names = (root / "ImageSets" / "Main" / f"{split}.txt").read_text().split()
    images, boxes, labels = [], [], []
    for name in names:
        image = Image.open(root / "JPEGImages" / f"{name}.jpg").convert("RGB")
        across, down = SHAPE.width / image.width, SHAPE.height / image.height
        images.append(np.asarray(image.resize((SHAPE.width, SHAPE.height), Image.Resampling.BILINEAR)))
        found, classes = _objects(root / "Annotations" / f"{name}.xml")
        boxes.append(found * torch.tensor([across, down, across, down]))
        labels.append(classes)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    return Pictures((pixels - 0.7) / 0.15, boxes, labels)


def _objects(file: Path) -> tuple[Tensor, Tensor]:
    boxes, labels = [], []
    for item in ElementTree.parse(file).getroot().iter("object"):
        x1, y1, x2, y2 = (
            float(item.findtext(f"bndbox/{key}", "")) for key in ("xmin", "ymin", "xmax", "ymax")
        )
        if x2 > x1 and y2 > y1:  # torchvision refuses others
            boxes.append((x1, y1, x2, y2))
            labels.append(CLASSES.index(item.findtext("name", "")))
    return torch.tensor(boxes).reshape(-1, 4), torch.tensor(labels, dtype=torch.int64)


def trained(kind: str, data: Pictures, rate: float, seconds: float) -> tuple[nn.Module, int]:
    """torchvision's detector after that many seconds of CPU, and its steps.

    AdamW with one cycle over the share of the seconds that is used; channels last, the faster layout.
    """
    torch.manual_seed(0)
    random.seed(0)
    network = networks.torchvision(kind, SHAPE, len(CLASSES)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    began, steps = time.process_time(), 0
    while (used := (time.process_time() - began) / seconds) < 1:
        optimizer.param_groups[0]["lr"] = rate * one_cycle(used)
        rows = random.sample(range(len(data.images)), BATCH)
        images, truth = zip(*(_mirrored(data, row) for row in rows), strict=True)
        loss = sum(network(list(images), list(truth)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    return network, steps


def one_cycle(share: float) -> float:
    """Learning rate as a share of its highest: up for 30 % of the training, then down by a cosine."""
    if share < WARM_UP:
        return 0.04 + 0.96 * (0.5 - 0.5 * float(np.cos(np.pi * share / WARM_UP)))
    return 0.5 + 0.5 * float(np.cos(np.pi * (share - WARM_UP) / (1 - WARM_UP)))


def _mirrored(data: Pictures, row: int) -> tuple[Tensor, dict[str, Tensor]]:
    """A picture and its boxes, mirrored left to right and upside down half of the time each."""
    image, boxes = data.images[row], data.boxes[row].clone()
    for axis, length in ((2, SHAPE.width), (1, SHAPE.height)):
        if random.random() < 0.5:
            image = image.flip(axis)
            side = 2 - axis
            boxes[:, [side, side + 2]] = length - boxes[:, [side + 2, side]]
    return image, {"boxes": boxes, "labels": data.labels[row]}


@torch.inference_mode()
def scored(network: nn.Module, data: Pictures) -> dict[str, float]:
    """COCO's average precision by our metric, which is equal to pycocotools."""
    from trainwright.metrics.map import map

    network.eval()
    network.score_thresh = LEAST_SCORE  # type: ignore[assignment]
    found = [network([image])[0] for image in data.images]
    most = max(max(len(one["labels"]) for one in found), max(len(one) for one in data.labels))
    truth = [{"boxes": b, "labels": c} for b, c in zip(data.boxes, data.labels, strict=True)]
    return map(_padded(found, most), _padded(truth, most), CLASSES)


def _padded(objects: list[dict[str, Tensor]], most: int) -> dict[str, Tensor]:
    """Objects of all pictures as one array by name; rows without an object have class -1."""
    joined = {}
    for name, first in objects[0].items():
        filled = torch.full(
            (len(objects), most, *first.shape[1:]), -1 if name == "labels" else 0, dtype=first.dtype
        )
        for row, item in enumerate(objects):
            filled[row, : len(item[name])] = item[name]
        joined[name] = filled
    return joined
