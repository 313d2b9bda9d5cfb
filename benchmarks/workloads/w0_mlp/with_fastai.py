"""W0 with fastai: its DataLoaders and Learner over a TensorDataset."""

from benchmarks.contestant import Clock

clock = Clock()

from functools import partial  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from fastai.data.core import DataLoaders  # noqa: E402
from fastai.learner import Learner  # noqa: E402
from fastai.losses import CrossEntropyLossFlat  # noqa: E402
from fastai.metrics import accuracy  # noqa: E402
from fastai.optimizer import OptimWrapper  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.workloads.fastai_parts import fit  # noqa: E402
from benchmarks.workloads.settings import data_folder, scratch_folder  # noqa: E402
from benchmarks.workloads.w0_mlp import BATCH, EPOCHS, LEARNING_RATE  # noqa: E402
from benchmarks.workloads.w0_mlp.model import build  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    rows = np.load(data_folder() / "rows.npz")
    x, y = torch.from_numpy(rows["x_train"]), torch.from_numpy(rows["y_train"])
    x_val, y_val = torch.from_numpy(rows["x_val"]), torch.from_numpy(rows["y_val"])
    train = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
    val = DataLoader(TensorDataset(x_val, y_val), batch_size=1024)
    learner = Learner(
        DataLoaders(train, val),
        build(),
        loss_func=CrossEntropyLossFlat(),
        opt_func=partial(OptimWrapper, opt=torch.optim.AdamW),
        metrics=accuracy,
        path=scratch_folder(),
    )
    clock.report(fit(clock, learner, EPOCHS, LEARNING_RATE))
