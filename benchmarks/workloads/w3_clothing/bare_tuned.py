"""W3 by hand: photos decoded once to uint8 of 128 pixels, resized crops of whole batches by grid_sample."""

from benchmarks.contestant import Clock

clock = Clock()

from benchmarks.workloads.settings import (  # noqa: E402
    autocast,
    best,
    data_folder,
    device,
    scratch_folder,
    wait_for_device,
)

if best():
    from benchmarks.workloads.allocator import keep_freed_memory

    keep_freed_memory()

import math  # noqa: E402

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import affine_grid, cross_entropy, grid_sample, interpolate  # noqa: E402

from benchmarks.workloads import w3_clothing as work  # noqa: E402
from benchmarks.workloads.jpeg_folder import decode  # noqa: E402
from benchmarks.workloads.w3_clothing.model import build  # noqa: E402

clock.imported()

STORED = 128


def load(split: str) -> tuple[Tensor, Tensor]:
    images, labels = decode(data_folder() / "clothing10" / split, STORED)
    return torch.from_numpy(images).to(here), torch.from_numpy(labels).to(here)


def resized_crop_and_flip(images: Tensor) -> Tensor:
    """Random windows of `[B, 3, 128, 128]` at the training size; a negative scale mirrors."""
    count = len(images)
    area = torch.empty(count, device=here).uniform_(work.SMALLEST, 1)
    aspect = torch.empty(count, device=here).uniform_(-math.log(work.RATIO), math.log(work.RATIO)).exp()
    tall, wide = (area / aspect).sqrt().clamp_(max=1), (area * aspect).sqrt().clamp_(max=1)
    theta = torch.zeros(count, 2, 3, device=here)
    theta[:, 0, 0] = torch.where(torch.rand(count, device=here) < 0.5, wide, -wide)
    theta[:, 1, 1] = tall
    theta[:, 0, 2] = (2 * torch.rand(count, device=here) - 1) * (1 - wide)
    theta[:, 1, 2] = (2 * torch.rand(count, device=here) - 1) * (1 - tall)
    grid = affine_grid(theta, [count, 3, work.SIZE, work.SIZE], align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def to_float(images: Tensor) -> Tensor:
    """`[B, H, W, 3]` of uint8 as `[B, 3, H, W]` in channels_last memory."""
    return images.float().sub_(mean).mul_(scale).permute(0, 3, 1, 2)


torch.manual_seed(0)
here = torch.device(device())
mean = 255 * torch.tensor(work.MEAN, device=here)
scale = 1 / (255 * torch.tensor(work.STD, device=here))
x, y = load("train")
x_val, y_val = load("val")
shown = interpolate(to_float(x_val), size=(work.SIZE, work.SIZE), mode="bilinear", antialias=True)
model = build().to(here, memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(model.parameters(), lr=work.LEARNING_RATE, fused=True)
folder = scratch_folder()

accuracy = 0.0
clock.start()
for _ in range(work.EPOCHS):
    model.train()
    clock.epoch()
    for rows in torch.randperm(len(x), device=here).split(work.BATCH):
        target = y[rows]
        images = resized_crop_and_flip(to_float(x[rows])).contiguous(memory_format=torch.channels_last)
        with autocast():
            loss = cross_entropy(model(images), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        clock.step(len(target))
    wait_for_device()
    model.eval()
    with torch.inference_mode(), autocast():
        accuracy = (model(shown).argmax(1) == y_val).float().mean().item()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "last.pt")
clock.stop()
clock.report(accuracy)
