"""The ceiling: the same network and steps on one batch of noise that never leaves the accelerator."""

from benchmarks.contestant import Clock

clock = Clock()

import sys  # noqa: E402

import timm  # noqa: E402
import torch  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from benchmarks.workloads import photos as work  # noqa: E402
from benchmarks.workloads.settings import device, wait_for_device  # noqa: E402

clock.imported()

torch.manual_seed(0)
torch.backends.cudnn.benchmark = True
here = torch.device(device())
compiled = "--compile" in sys.argv
steps = work.EPOCHS * int(sys.argv[1]) // work.BATCH
images = torch.randn(work.BATCH, 3, work.SIZE, work.SIZE, device=here).to(memory_format=torch.channels_last)
target = torch.randint(0, 10, (work.BATCH,), device=here)
model = timm.create_model("resnet50", num_classes=10).to(here, memory_format=torch.channels_last)
optimizer = torch.optim.SGD(
    model.parameters(),
    lr=work.LEARNING_RATE,
    momentum=work.MOMENTUM,
    weight_decay=work.WEIGHT_DECAY,
    fused=True,
)
forward = torch.compile(model) if compiled else model

clock.start()
clock.epoch()
for step in range(steps):
    with torch.autocast(device(), torch.bfloat16):
        loss = cross_entropy(forward(images), target)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step == steps - 1:
        wait_for_device()  # so that the sum of the steps is the time until their results were there
    clock.step(work.BATCH)
clock.stop()
clock.report(float(loss.detach()), note="compiled" if compiled else "")
