"""W2 as PyTorch's tutorials write it."""

from benchmarks.contestant import Clock

clock = Clock()

import torch  # noqa: E402

from benchmarks.workloads.tutorial_loop import fit  # noqa: E402
from benchmarks.workloads.w2_cifar import EPOCHS, LEARNING_RATE, MOMENTUM  # noqa: E402
from benchmarks.workloads.w2_cifar.model import build  # noqa: E402
from benchmarks.workloads.w2_cifar.tutorial_data import loaders  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    train, val = loaders()
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    clock.report(fit(clock, model, optimizer, train, val, EPOCHS))
