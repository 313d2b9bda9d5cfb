"""70 % on CIFAR's 10,000 test images from 10,000 training JPEGs, by hand.

    python -m benchmarks.workloads.accuracy.cifar SEED

Four convolutions, each pooled before its batch normalisation and activation; one-cycle AdamW,
label smoothing, crops from a mirrored border of two pixels, flips.
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

from benchmarks.workloads.jpeg_folder import decode  # noqa: E402
from benchmarks.workloads.settings import autocast, data_folder  # noqa: E402

clock.imported()

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, SMOOTHING, RISE, PADDING = 4, 64, 4e-3, 0.1, 0.1, 0.25, 2
WIDTHS, SIZE = (32, 64, 128, 256), 32
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def build() -> nn.Module:
    layers: list[nn.Module] = []
    channels = 3
    for width in WIDTHS:
        convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        layers += [convolution, nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.SiLU()]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * channels, 10))


def crop_and_flip(rows: Tensor) -> Tensor:
    top, left = torch.randint(0, 2 * PADDING + 1, (2, len(rows), 1))
    down, across = top + steps, left + steps
    across = torch.where(torch.rand(len(rows), 1) < 0.5, across.flip(1), across)
    return padded[rows[:, None, None], down[:, :, None], across[:, None, :]]


def to_input(images: Tensor) -> Tensor:
    return images.float().sub_(mean).mul_(scale).permute(0, 3, 1, 2)


def factor(progress: float) -> float:
    """Of the learning rate: a line up, a line down."""
    return max(progress / RISE if progress < RISE else (1 - progress) / (1 - RISE), 1e-3)


torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
mean, scale = 255 * torch.tensor(MEAN), 1 / (255 * torch.tensor(STD))
steps = torch.arange(SIZE)
images, labels = decode(data_folder() / "cifar10" / "train", SIZE)
around = ((0, 0), (PADDING, PADDING), (PADDING, PADDING), (0, 0))
padded, y = torch.from_numpy(np.pad(images, around, mode="reflect")), torch.from_numpy(labels)
model = build().to(memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
total = EPOCHS * -(-len(y) // BATCH)

clock.start()
step = 0
for _ in range(EPOCHS):
    clock.epoch()
    for rows in torch.randperm(len(y)).split(BATCH):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * factor(step / total)
        with autocast():
            logits = model(to_input(crop_and_flip(rows)))
        loss = cross_entropy(logits.float(), y[rows], label_smoothing=SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        clock.step(len(rows))
tested, truth = decode(data_folder() / "cifar10" / "val", SIZE)
model.eval()
with torch.inference_mode(), autocast():
    logits = torch.cat([model(to_input(part)) for part in torch.from_numpy(tested).split(500)])
clock.stop()
clock.report((logits.argmax(1) == torch.from_numpy(truth)).float().mean().item())
