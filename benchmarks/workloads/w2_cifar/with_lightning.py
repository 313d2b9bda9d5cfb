"""W2 with Lightning, as its introduction does."""

from benchmarks.contestant import Clock

clock = Clock()

import lightning  # noqa: E402
import torch  # noqa: E402

from benchmarks.workloads.lightning_parts import Classifier, fit  # noqa: E402
from benchmarks.workloads.w2_cifar import EPOCHS, LEARNING_RATE, MOMENTUM  # noqa: E402
from benchmarks.workloads.w2_cifar.model import build  # noqa: E402
from benchmarks.workloads.w2_cifar.tutorial_data import loaders  # noqa: E402

clock.imported()

if __name__ == "__main__":
    lightning.seed_everything(0)
    train, val = loaders()
    module = Classifier(build(), lambda found: torch.optim.SGD(found, lr=LEARNING_RATE, momentum=MOMENTUM))
    clock.report(fit(clock, module, train, val, EPOCHS))
