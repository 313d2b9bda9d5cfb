"""W0 by hand: one gather an epoch, fused AdamW, one thread (two only wait for each other here)."""

from benchmarks.contestant import Clock

clock = Clock()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from benchmarks.workloads.settings import (  # noqa: E402
    autocast,
    bf16,
    data_folder,
    device,
    scratch_folder,
    wait_for_device,
)
from benchmarks.workloads.w0_mlp import BATCH, EPOCHS, LEARNING_RATE  # noqa: E402
from benchmarks.workloads.w0_mlp.model import build  # noqa: E402

clock.imported()

torch.manual_seed(0)
torch.set_num_threads(1)
rows = np.load(data_folder() / "rows.npz")
x, y, x_val, y_val = (
    torch.from_numpy(rows[name]).to(device()) for name in ("x_train", "y_train", "x_val", "y_val")
)
model = build().to(device())
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
folder = scratch_folder()


def train_step(inputs: torch.Tensor, target: torch.Tensor) -> None:
    if bf16_on:
        with autocast():
            loss = cross_entropy(model(inputs), target)
    else:
        loss = cross_entropy(model(inputs), target)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


bf16_on = bf16()
accuracy = 0.0
clock.start()
for _ in range(EPOCHS):
    model.train()
    order = torch.randperm(len(x), device=device())
    clock.epoch()
    for inputs, target in zip(x[order].split(BATCH), y[order].split(BATCH), strict=True):
        train_step(inputs, target)
        clock.step(len(target))
    wait_for_device()
    model.eval()
    with torch.inference_mode():
        accuracy = (model(x_val).argmax(1) == y_val).float().mean().item()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "last.pt")
clock.stop()
clock.report(accuracy)
