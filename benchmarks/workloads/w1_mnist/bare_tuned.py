"""W1 by hand: uint8 in RAM, one gather an epoch, channels_last, fused SGD; no torchvision import."""

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

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from benchmarks.workloads.w1_mnist import BATCH, EPOCHS, LEARNING_RATE, MEAN, MOMENTUM, STD  # noqa: E402
from benchmarks.workloads.w1_mnist.model import build  # noqa: E402

clock.imported()


def read(name: str, offset: int) -> np.ndarray:
    return np.fromfile(data_folder() / "mnist" / "MNIST" / "raw" / name, np.uint8, offset=offset)


def load(split: str) -> tuple[Tensor, Tensor]:
    images = read(f"{split}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    labels = read(f"{split}-labels-idx1-ubyte", 8).astype(np.int64)
    return torch.from_numpy(images).to(device()), torch.from_numpy(labels).to(device())


def to_input(images: Tensor) -> Tensor:
    return images.float().sub_(255 * MEAN).mul_(1 / (255 * STD)).contiguous(memory_format=torch.channels_last)


torch.manual_seed(0)
x, y = load("train")
x_val, y_val = load("t10k")
model = build().to(device(), memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)
folder = scratch_folder()

accuracy = 0.0
clock.start()
for _ in range(EPOCHS):
    model.train()
    order = torch.randperm(len(x), device=device())
    clock.epoch()
    for images, target in zip(x[order].split(BATCH), y[order].split(BATCH), strict=True):
        with autocast():
            loss = cross_entropy(model(to_input(images)), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        clock.step(len(target))
    wait_for_device()
    model.eval()
    with torch.inference_mode(), autocast():
        logits = torch.cat([model(to_input(images)) for images in x_val.split(500)])
    accuracy = (logits.argmax(1) == y_val).float().mean().item()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "last.pt")
clock.stop()
clock.report(accuracy)
