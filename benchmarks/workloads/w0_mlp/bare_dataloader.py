"""W0 as PyTorch's tutorials write it: TensorDataset, DataLoader, AdamW."""

from benchmarks.contestant import Clock

clock = Clock()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.workloads.settings import autocast, data_folder, scratch_folder  # noqa: E402
from benchmarks.workloads.w0_mlp import BATCH, EPOCHS, LEARNING_RATE  # noqa: E402
from benchmarks.workloads.w0_mlp.model import build  # noqa: E402

clock.imported()

torch.manual_seed(0)
rows = np.load(data_folder() / "rows.npz")
x, y = torch.from_numpy(rows["x_train"]), torch.from_numpy(rows["y_train"])
x_val, y_val = torch.from_numpy(rows["x_val"]), torch.from_numpy(rows["y_val"])
train_loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
val_loader = DataLoader(TensorDataset(x_val, y_val), batch_size=1024)
model = build()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
folder = scratch_folder()

accuracy = 0.0
clock.start()
for _ in range(EPOCHS):
    model.train()
    clock.epoch()
    for inputs, target in train_loader:
        with autocast():
            loss = cross_entropy(model(inputs), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.step(len(target))
    model.eval()
    right = 0
    with torch.no_grad():
        for inputs, target in val_loader:
            right += int((model(inputs).argmax(1) == target).sum())
    accuracy = right / len(y_val)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "last.pt")
clock.stop()
clock.report(accuracy)
