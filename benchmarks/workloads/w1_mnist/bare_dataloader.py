"""W1 as PyTorch's tutorials write it."""

from benchmarks.contestant import Clock

clock = Clock()

import torch  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from benchmarks.workloads.settings import autocast, scratch_folder  # noqa: E402
from benchmarks.workloads.w1_mnist import BATCH, EPOCHS, LEARNING_RATE, MOMENTUM  # noqa: E402
from benchmarks.workloads.w1_mnist.model import build  # noqa: E402
from benchmarks.workloads.w1_mnist.tutorial_data import loaders  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    train, val = loaders()
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    folder = scratch_folder()
    accuracy = 0.0
    clock.start()
    for _ in range(EPOCHS):
        model.train()
        clock.epoch()
        for images, target in train:
            with autocast():
                loss = cross_entropy(model(images), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            clock.step(len(target))
        model.eval()
        right = 0
        with torch.no_grad(), autocast():
            for images, target in val:
                right += int((model(images).argmax(1) == target).sum())
        accuracy = right / len(val.dataset)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "last.pt")
    clock.stop()
    clock.report(accuracy)
