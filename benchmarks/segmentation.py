"""CamVid from random weights: the shipped recipe beside LR-ASPP of torchvision, for as many seconds of CPU.

    python -m benchmarks.segmentation --cpu-seconds 420 --run runs/camvid-0123456789

torchvision's `lraspp_mobilenet_v3_large` is trained in a plain loop on the same pictures, windows and mirror
images of the same size, by AdamW with one cycle. Both are scored on the test pictures in their full size; the
mIoU is the mean over the classes of all pixels together. Without `--run` only torchvision's is trained.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.datasets import shared_data

CLASSES, VOID, BATCH, WINDOW = 11, 11, 8, (240, 320)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segmentation", description=__doc__)
    parser.add_argument("--cpu-seconds", type=float, default=420, help="of torchvision's training")
    parser.add_argument("--run", type=Path, help="finished run of the recipe, whose score is printed beside")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    root = shared_data() / "camvid"
    network, steps, used = _trained(_pictures(root, "train"), given.cpu_seconds)
    score = _miou(network, _pictures(root, "test"))
    print(f"torchvision lraspp: {steps} steps, {used:.0f} CPU s, mIoU {score:.4f}")
    if given.run is not None:
        scores = json.loads((given.run / "evaluation" / "test" / "metrics.json").read_text())
        print(f"{given.run.name}: mIoU {scores['miou']:.4f}")


def _pictures(root: Path, split: str) -> tuple[Tensor, Tensor]:
    """Pictures float32 `[N, 3, H, W]`, normalised, and class ids `[N, H, W]`."""
    pairs = [line.split() for line in (root / f"{split}.txt").read_text().splitlines() if line.strip()]
    images = np.stack([np.asarray(Image.open(root / image).convert("RGB")) for image, _ in pairs])
    masks = np.stack([np.asarray(Image.open(root / mask)) for _, mask in pairs])
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return (pixels - 0.45) / 0.27, torch.from_numpy(masks).long()


def _window(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """A window of 20 to 80 % of the area, resized, and mirrored half of the time."""
    height, width = mask.shape
    share = random.uniform(0.2, 0.8) ** 0.5
    h, w = int(height * share), int(width * share)
    top, left = random.randint(0, height - h), random.randint(0, width - w)
    image, mask = image[:, top : top + h, left : left + w], mask[top : top + h, left : left + w]
    image = F.interpolate(image[None], WINDOW, mode="bilinear", antialias=True)[0]
    mask = F.interpolate(mask[None, None].float(), WINDOW, mode="nearest-exact")[0, 0].long()
    return (image.flip(2), mask.flip(1)) if random.random() < 0.5 else (image, mask)


def _trained(data: tuple[Tensor, Tensor], budget: float) -> tuple[nn.Module, int, float]:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    random.seed(0)
    network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    started = time.process_time()
    steps = 0
    while (used := time.process_time() - started) < budget:
        # One cycle over the share of the budget that is used: up for 30 %, then down by a cosine.
        share = used / budget
        rate = 0.04 + 0.96 * (0.5 - 0.5 * np.cos(np.pi * min(1.0, share / 0.3)))
        if share > 0.3:
            rate = 0.5 + 0.5 * np.cos(np.pi * (share - 0.3) / 0.7)
        optimizer.param_groups[0]["lr"] = 3e-3 * rate
        windows = [_window(data[0][row], data[1][row]) for row in random.sample(range(len(data[0])), BATCH)]
        images, masks = (torch.stack(part) for part in zip(*windows, strict=True))
        logits = network(images.contiguous(memory_format=torch.channels_last))["out"]
        optimizer.zero_grad()
        F.cross_entropy(logits, masks, ignore_index=VOID).backward()
        optimizer.step()
        steps += 1
    return network, steps, used


@torch.inference_mode()
def _miou(network: nn.Module, data: tuple[Tensor, Tensor]) -> float:
    network.eval()
    counts = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    for image, mask in zip(*data, strict=True):
        predicted = network(image[None])["out"][0].argmax(0)
        known = mask != VOID
        cells = mask[known] * CLASSES + predicted[known]
        counts += np.bincount(cells.numpy(), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    union = counts.sum(0) + counts.sum(1) - counts.diagonal()
    return float((counts.diagonal()[union > 0] / union[union > 0]).mean())


if __name__ == "__main__":
    main()
