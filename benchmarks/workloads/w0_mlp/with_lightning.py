"""W0 with Lightning, as its introduction does."""

from benchmarks.contestant import Clock

clock = Clock()

import lightning  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.workloads.lightning_parts import Classifier, fit  # noqa: E402
from benchmarks.workloads.settings import data_folder  # noqa: E402
from benchmarks.workloads.w0_mlp import BATCH, EPOCHS, LEARNING_RATE  # noqa: E402
from benchmarks.workloads.w0_mlp.model import build  # noqa: E402

clock.imported()

if __name__ == "__main__":
    lightning.seed_everything(0)
    rows = np.load(data_folder() / "rows.npz")
    x, y = torch.from_numpy(rows["x_train"]), torch.from_numpy(rows["y_train"])
    x_val, y_val = torch.from_numpy(rows["x_val"]), torch.from_numpy(rows["y_val"])
    train = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
    val = DataLoader(TensorDataset(x_val, y_val), batch_size=1024)
    module = Classifier(build(), lambda parameters: torch.optim.AdamW(parameters, lr=LEARNING_RATE))
    clock.report(fit(clock, module, train, val, EPOCHS))
