"""One detector's training steps on the same batch of noise; prints their times.

    python -m benchmarks.workloads.detection.step ours fcos --height 256 --width 320 --batch 8

`ours` is stepped as `trainwright train` steps it: freed memory is kept by the process, and the engine's phase
runner goes backward and moves the weights. torchvision's is stepped as its tutorials do; `torchvision_best`
keeps freed memory, too, which no ordinary script does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

from trainwright.allocator import keep_freed_memory

if __name__ == "__main__" and sys.argv[1:] and sys.argv[1] in ("ours", "ours_bf16", "torchvision_best"):
    keep_freed_memory()  # has to come before the import of torch

import torch
from torch import Tensor, nn

from benchmarks.workloads.detection import MAKERS, networks

WARM_UP, CLASSES, MOST_BOXES = 3, 3, 30


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("maker", choices=MAKERS)
    parser.add_argument("kind", choices=networks.KINDS)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=0, help="0 leaves torch's choice")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    shape = networks.Shape(given.height, given.width, given.channels, given.depth)
    of_us = given.maker.startswith("ours")
    make = networks.ours if of_us else networks.torchvision
    network = make(given.kind, shape, CLASSES).train()
    layout = torch.contiguous_format if given.maker == "torchvision" else torch.channels_last
    network.to(memory_format=layout)
    images = torch.randn(given.batch, 3, given.height, given.width).contiguous(memory_format=layout)
    boxes, labels = _truth(given.batch, given.height, given.width)
    loss = (_our_loss if of_us else _their_loss)(network, images, boxes, labels)
    if given.maker.endswith("bf16"):
        loss = _in_bfloat16(loss)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    step = _our_step(network, loss, optimizer) if of_us else _their_step(loss, optimizer)
    if given.profile:
        step()
        with torch.profiler.profile() as found:
            step()
        print(found.key_averages().table(sort_by="self_cpu_time_total", row_limit=25))
        return
    seconds, cpu = [], []
    for _ in range(WARM_UP + given.steps):
        began = time.perf_counter(), time.process_time()
        step()
        seconds.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
    middle = statistics.median(seconds[WARM_UP:])
    values = {"images_per_s": given.batch / middle, "us_per_step": 1e6 * middle}
    print(json.dumps(values | {"cpu_us_per_step": 1e6 * statistics.median(cpu[WARM_UP:])}))


def _truth(batch: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Boxes `[B, M, 4]` and classes `[B, M]`, a third of the rows without a box."""
    corner = torch.rand(batch, MOST_BOXES, 2) * torch.tensor([width * 0.7, height * 0.7])
    boxes = torch.cat([corner, corner + 10 + torch.rand(batch, MOST_BOXES, 2) * height * 0.25], 2)
    labels = torch.randint(0, CLASSES, (batch, MOST_BOXES))
    labels[:, MOST_BOXES * 2 // 3 :] = -1
    return boxes, labels


def _our_loss(network: nn.Module, images: Tensor, boxes: Tensor, labels: Tensor) -> Callable[[], Tensor]:
    truth = {"objects": {"boxes": boxes, "labels": labels}}
    return lambda: network(images, truth)["objects"]["loss"]


def _their_loss(network: nn.Module, images: Tensor, boxes: Tensor, labels: Tensor) -> Callable[[], Tensor]:
    truth = [{"boxes": b[c >= 0], "labels": c[c >= 0]} for b, c in zip(boxes, labels, strict=True)]
    return lambda: sum(network(list(images), truth).values())  # type: ignore[return-value]


def _in_bfloat16(loss: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """What `precision: bf16` does, and `auto` where it is faster and the loss stays the same."""

    def cast() -> Tensor:
        """The loss under autocast."""
        with torch.autocast("cpu", torch.bfloat16):
            return loss()

    return cast


def _our_step(
    network: nn.Module, loss: Callable[[], Tensor], optimizer: torch.optim.Optimizer
) -> Callable[[], None]:
    """The engine's step, without a batch to load, metrics to log and a watch on the gradients."""
    from trainwright.engine.phase_runner import PhaseRunner
    from trainwright.engine.schedules.constant import Constant
    from trainwright.tasks.base import Phase

    phase = Phase("main", tuple(network.named_parameters()))
    runner = PhaseRunner(phase, optimizer, Constant(1, 1))

    def step() -> None:
        """A step as the engine makes it."""
        losses = loss()
        runner.backward(losses, len(losses), len(losses))
        runner.apply(0)

    return step


def _their_step(loss: Callable[[], Tensor], optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    def step() -> None:
        """A step as a hand-written loop makes it."""
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
