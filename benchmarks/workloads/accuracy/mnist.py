"""MNIST 99.0 % by hand: one epoch of a small CNN, one-cycle, label smoothing.

python -m benchmarks.workloads.accuracy.mnist SEED
"""

from benchmarks.contestant import Clock

clock = Clock()

import sys  # noqa: E402

from benchmarks.workloads.allocator import keep_freed_memory  # noqa: E402

keep_freed_memory()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from benchmarks.workloads.settings import autocast, data_folder  # noqa: E402

clock.imported()

BATCH, LEARNING_RATE, WEIGHT_DECAY, SMOOTHING, RISE = 128, 1.5e-2, 0.1, 0.1, 0.25
MEAN, STD = 0.1307, 0.3081


def read(name: str, offset: int) -> np.ndarray:
    return np.fromfile(data_folder() / "mnist" / "MNIST" / "raw" / name, np.uint8, offset=offset)


def load(split: str) -> tuple[Tensor, Tensor]:
    images = read(f"{split}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    return torch.from_numpy(images), torch.from_numpy(read(f"{split}-labels-idx1-ubyte", 8).astype(np.int64))


def build() -> nn.Module:
    layers: list[nn.Module] = []
    channels = 1
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))


def to_input(images: Tensor) -> Tensor:
    return images.float().sub_(255 * MEAN).mul_(1 / (255 * STD)).contiguous(memory_format=torch.channels_last)


def factor(progress: float) -> float:
    """Of the learning rate: a line up, a line down."""
    return max(progress / RISE if progress < RISE else (1 - progress) / (1 - RISE), 1e-3)


torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
x, y = load("train")
model = build().to(memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
order = torch.randperm(len(x))
batches = list(zip(x[order].split(BATCH), y[order].split(BATCH), strict=True))

clock.start()
clock.epoch()
for step, (images, target) in enumerate(batches):
    optimizer.param_groups[0]["lr"] = LEARNING_RATE * factor(step / len(batches))
    with autocast():
        logits = model(to_input(images))
    loss = cross_entropy(logits.float(), target, label_smoothing=SMOOTHING)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    clock.step(len(target))
x_test, y_test = load("t10k")
model.eval()
with torch.inference_mode(), autocast():
    logits = torch.cat([model(to_input(images)) for images in x_test.split(500)])
clock.stop()
clock.report((logits.argmax(1) == y_test).float().mean().item())
