"""W2 by hand: decoded once to uint8 in RAM, crop and flip of whole batches, channels_last, fused SGD."""

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

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import cross_entropy, pad  # noqa: E402

from benchmarks.workloads import w2_cifar as work  # noqa: E402
from benchmarks.workloads.jpeg_folder import decode  # noqa: E402
from benchmarks.workloads.w2_cifar.model import build  # noqa: E402

clock.imported()

SIZE = 32


def load(split: str) -> tuple[Tensor, Tensor]:
    images, labels = decode(data_folder() / "cifar10" / split, SIZE)
    return torch.from_numpy(images).to(here), torch.from_numpy(labels).to(here)


def crop_and_flip(padded: Tensor, rows: Tensor) -> Tensor:
    """Random windows of the images `rows` of `padded`, half of them mirrored."""
    top, left = torch.randint(0, 2 * work.PADDING + 1, (2, len(rows), 1), device=here)
    down, across = top + steps, left + steps
    mirrored = torch.rand(len(rows), 1, device=here) < 0.5
    across = torch.where(mirrored, across.flip(1), across)
    return padded[rows[:, None, None], down[:, :, None], across[:, None, :]]


def to_input(images: Tensor) -> Tensor:
    """Normalised `[B, 3, 32, 32]` in channels_last memory from `[B, 32, 32, 3]`."""
    return images.float().sub_(mean).mul_(scale).permute(0, 3, 1, 2)


torch.manual_seed(0)
here = torch.device(device())
mean = 255 * torch.tensor(work.MEAN, device=here)
scale = 1 / (255 * torch.tensor(work.STD, device=here))
steps = torch.arange(SIZE, device=here)
x, y = load("train")
x_val, y_val = load("val")
padded = pad(x, (0, 0, work.PADDING, work.PADDING, work.PADDING, work.PADDING))
model = build().to(here, memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=work.LEARNING_RATE, momentum=work.MOMENTUM, fused=True)
folder = scratch_folder()

accuracy = 0.0
clock.start()
for _ in range(work.EPOCHS):
    model.train()
    clock.epoch()
    for rows in torch.randperm(len(x), device=here).split(work.BATCH):
        target = y[rows]
        with autocast():
            loss = cross_entropy(model(to_input(crop_and_flip(padded, rows))), target)
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
