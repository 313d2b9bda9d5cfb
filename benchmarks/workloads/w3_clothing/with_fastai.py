"""W3 with fastai, as its vision tutorial does: ImageDataLoaders, transforms of whole batches."""

from benchmarks.contestant import Clock

clock = Clock()

from functools import partial  # noqa: E402

import torch  # noqa: E402
from fastai.data.transforms import Normalize  # noqa: E402
from fastai.learner import Learner  # noqa: E402
from fastai.metrics import accuracy  # noqa: E402
from fastai.optimizer import OptimWrapper  # noqa: E402
from fastai.vision.augment import Flip, RandomResizedCrop  # noqa: E402
from fastai.vision.data import ImageDataLoaders  # noqa: E402

from benchmarks.workloads.fastai_parts import fit  # noqa: E402
from benchmarks.workloads.settings import data_folder, scratch_folder  # noqa: E402
from benchmarks.workloads.w3_clothing import BATCH, EPOCHS, LEARNING_RATE, MEAN, SIZE, SMALLEST, STD  # noqa: E402
from benchmarks.workloads.w3_clothing.model import build  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    loaders = ImageDataLoaders.from_folder(
        data_folder() / "clothing10",
        train="train",
        valid="val",
        bs=BATCH,
        val_bs=BATCH,
        num_workers=2,
        item_tfms=RandomResizedCrop(SIZE, min_scale=SMALLEST),
        batch_tfms=[Flip(), Normalize.from_stats(MEAN, STD)],
    )
    learner = Learner(
        loaders,
        build(),
        opt_func=partial(OptimWrapper, opt=torch.optim.AdamW),
        metrics=accuracy,
        path=scratch_folder(),
    )
    clock.report(fit(clock, learner, EPOCHS, LEARNING_RATE))
