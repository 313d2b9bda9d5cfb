"""W0 as PyTorch's tutorials write it: TensorDataset, DataLoader, AdamW."""

from benchmarks.contestant import Clock

clock = Clock()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.workloads.settings import data_folder  # noqa: E402
from benchmarks.workloads.tutorial_loop import fit  # noqa: E402
from benchmarks.workloads.w0_mlp import BATCH, EPOCHS, LEARNING_RATE  # noqa: E402
from benchmarks.workloads.w0_mlp.model import build  # noqa: E402

clock.imported()

torch.manual_seed(0)
rows = np.load(data_folder() / "rows.npz")
x, y = torch.from_numpy(rows["x_train"]), torch.from_numpy(rows["y_train"])
x_val, y_val = torch.from_numpy(rows["x_val"]), torch.from_numpy(rows["y_val"])
train = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
val = DataLoader(TensorDataset(x_val, y_val), batch_size=1024)
model = build()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
clock.report(fit(clock, model, optimizer, train, val, EPOCHS))
