"""W1 with fastai, as its page on migrating from plain PyTorch does: its Learner over the same loaders."""

from benchmarks.contestant import Clock

clock = Clock()

from functools import partial  # noqa: E402

import torch  # noqa: E402
from fastai.data.core import DataLoaders  # noqa: E402
from fastai.learner import Learner  # noqa: E402
from fastai.losses import CrossEntropyLossFlat  # noqa: E402
from fastai.metrics import accuracy  # noqa: E402
from fastai.optimizer import OptimWrapper  # noqa: E402

from benchmarks.workloads.fastai_parts import fit  # noqa: E402
from benchmarks.workloads.settings import scratch_folder  # noqa: E402
from benchmarks.workloads.w1_mnist import EPOCHS, LEARNING_RATE, MOMENTUM  # noqa: E402
from benchmarks.workloads.w1_mnist.model import build  # noqa: E402
from benchmarks.workloads.w1_mnist.tutorial_data import loaders  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    learner = Learner(
        DataLoaders(*loaders()),
        build(),
        loss_func=CrossEntropyLossFlat(),
        opt_func=partial(OptimWrapper, opt=partial(torch.optim.SGD, momentum=MOMENTUM)),
        metrics=accuracy,
        path=scratch_folder(),
    )
    clock.report(fit(clock, learner, EPOCHS, LEARNING_RATE))
