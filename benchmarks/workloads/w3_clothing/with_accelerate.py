"""W3 with accelerate, which changes a few lines of PyTorch's tutorial loop."""

from benchmarks.contestant import Clock

clock = Clock()

import torch  # noqa: E402
from accelerate import Accelerator  # noqa: E402

from benchmarks.workloads.settings import bf16  # noqa: E402
from benchmarks.workloads.tutorial_loop import fit  # noqa: E402
from benchmarks.workloads.w3_clothing import EPOCHS, LEARNING_RATE  # noqa: E402
from benchmarks.workloads.w3_clothing.model import build  # noqa: E402
from benchmarks.workloads.w3_clothing.tutorial_data import loaders  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    train, val = loaders()
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    accelerator = Accelerator(cpu=True, mixed_precision="bf16" if bf16() else "no")
    model, optimizer, train, val = accelerator.prepare(model, optimizer, train, val)
    clock.report(fit(clock, model, optimizer, train, val, EPOCHS, accelerator.backward))
