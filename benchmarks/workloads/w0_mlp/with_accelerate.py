"""W0 with accelerate, which changes a few lines of PyTorch's tutorial loop."""

from benchmarks.contestant import Clock

clock = Clock()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from accelerate import Accelerator  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.workloads.settings import bf16, data_folder  # noqa: E402
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
accelerator = Accelerator(cpu=True, mixed_precision="bf16" if bf16() else "no")
model, optimizer, train, val = accelerator.prepare(model, optimizer, train, val)
clock.report(fit(clock, model, optimizer, train, val, EPOCHS, accelerator.backward))
