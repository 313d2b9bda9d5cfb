"""W3 with timm's dataset, loader and optimizer, the way its training script puts them together."""

from benchmarks.contestant import Clock

clock = Clock()

import torch  # noqa: E402
from timm.data import create_dataset, create_loader  # noqa: E402
from timm.optim import create_optimizer_v2  # noqa: E402

from benchmarks.workloads.settings import data_folder  # noqa: E402
from benchmarks.workloads.tutorial_loop import fit  # noqa: E402
from benchmarks.workloads.w3_clothing import BATCH, EPOCHS, LEARNING_RATE, MEAN, SIZE, SMALLEST, STD  # noqa: E402
from benchmarks.workloads.w3_clothing.model import build  # noqa: E402

clock.imported()

if __name__ == "__main__":
    torch.manual_seed(0)
    folder = data_folder() / "clothing10"
    common = {
        "input_size": (3, SIZE, SIZE),
        "mean": MEAN,
        "std": STD,
        "num_workers": 2,
        "device": torch.device("cpu"),
    }
    train = create_loader(
        create_dataset("", root=str(folder / "train")),
        batch_size=BATCH,
        is_training=True,
        scale=(SMALLEST, 1.0),
        hflip=0.5,
        color_jitter=None,
        pin_memory=False,
        **common,
    )
    val = create_loader(
        create_dataset("", root=str(folder / "val")),
        batch_size=BATCH,
        crop_pct=1.0,
        pin_memory=False,
        **common,
    )
    model = build()
    optimizer = create_optimizer_v2(model, opt="adamw", lr=LEARNING_RATE)
    clock.report(fit(clock, model, optimizer, train, val, EPOCHS))
