"""The convolutions of a detection head in other forms, forward and backward, at three levels of a pyramid.

    python -m benchmarks.towers

Two towers of two 3x3 convolutions with group norm and ReLU, of 64 channels, on one thread: `apart` as our
heads compute them; `joint` as one convolution of twice the outputs and one in two groups. One such
convolution alone: `channels_last`, `contiguous`, and as a `product` of matrices with the windows laid out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from trainwright.allocator import keep_freed_memory

if __name__ == "__main__":
    keep_freed_memory()  # has to come before the import of torch

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

WIDTH, GROUPS = 64, 32
LEVELS = ((32, 40), (16, 20), (8, 10))
LAST = torch.channels_last


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.towers", description=__doc__)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15, help="interleaved")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    settings = {key: str(value) for key, value in vars(options).items()}
    results = Results("towers", settings, now(), machine.describe(), "apart")
    for level in LEVELS:
        forms = contestants(options.batch, *level)
        for form in forms.values():
            form()  # once to warm up
        for number in range(1, options.rounds + 1):
            for name, form in forms.items():
                began = time.perf_counter()
                form()
                values = {"ms": 1e3 * (time.perf_counter() - began)}
                results.measurements.append(Measurement(f"{level[0]}x{level[1]}", name, number, values))
    finish(results, ("ms",), dry=options.dry)


def contestants(batch: int, height: int, width: int) -> dict[str, Callable[[], Tensor]]:
    """Form -> a function that goes forward and backward and gives the gradient of the maps."""
    map = torch.randn(batch, WIDTH, height, width)
    kernels = torch.randn(4, WIDTH, WIDTH, 3, 3) * 0.03
    last = map.contiguous(memory_format=LAST)
    first = [kernel.contiguous(memory_format=LAST) for kernel in kernels]
    return {
        "apart": _backward(apart, last, first),
        "joint": _backward(joint, last, first),
        "channels_last": _backward(convolution, last, first[:1]),
        "contiguous": _backward(convolution, map, [kernels[0]]),
        "product": _backward(product, last, first[:1]),
    }


def _backward(form: Callable[..., Tensor], map: Tensor, kernels: list[Tensor]) -> Callable[[], Tensor]:
    leaves = [leaf.detach().clone().requires_grad_() for leaf in (map, *kernels)]
    gradient = torch.ones_like(form(*leaves))

    def step() -> Tensor:
        """Once forward and backward."""
        return torch.autograd.grad(form(*leaves), leaves, gradient)[0]

    return step


def apart(map: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Both towers, one after the other, side by side in the end."""
    towers = (_layer(_layer(map, first, 1, GROUPS), second, 1, GROUPS) for first, second in ((a, c), (b, d)))
    return torch.cat(list(towers), 1)


def joint(map: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Both towers at once."""
    both = _layer(map, torch.cat([a, b]), 1, 2 * GROUPS)
    return _layer(both, torch.cat([c, d]), 2, 2 * GROUPS)


def _layer(map: Tensor, kernel: Tensor, groups: int, norms: int) -> Tensor:
    return F.group_norm(F.conv2d(map, kernel, padding=1, groups=groups), norms).relu_()


def convolution(map: Tensor, kernel: Tensor) -> Tensor:
    """A 3x3 convolution, in the memory format of the map."""
    return F.conv2d(map, kernel, padding=1)


def product(map: Tensor, kernel: Tensor) -> Tensor:
    """The same of windows laid out as rows of a matrix, channels last."""
    batch, channels, height, width = map.shape
    padded = F.pad(map.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(1, 3, 1).unfold(2, 3, 1).reshape(batch * height * width, channels * 9)
    found = windows @ kernel.reshape(len(kernel), -1).T
    return found.reshape(batch, height, width, -1).permute(0, 3, 1, 2)


if __name__ == "__main__":
    main()
