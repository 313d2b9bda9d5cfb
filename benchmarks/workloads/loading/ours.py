"""Our own data layer, without a model: prepared through a recipe, batches from the loader of the training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from trainwright.allocator import keep_freed_memory

keep_freed_memory()

import torch  # noqa: E402

from benchmarks.workloads.loading import BATCH, MEAN, RATIO, SMALLEST, STD, Job, job, measure  # noqa: E402
from trainwright import recipe as recipes  # noqa: E402
from trainwright.data.prepare import prepare  # noqa: E402
from trainwright.engine.build import build_loader, build_store  # noqa: E402
from trainwright.engine.runtime import Execution  # noqa: E402
from trainwright.locations import cache_dir  # noqa: E402

CACHE = "auto"


def recipe(asked: Job, cache: str) -> dict[str, Any]:
    """The recipe's part that matters."""
    image = {
        "type": "image",
        "size": [asked.size, asked.size],
        "normalise": {"mean": list(MEAN), "std": list(STD)},
        "decoder": asked.decoder,
    }
    crop = {"name": "resized_crop", "smallest": SMALLEST, "ratio": RATIO}
    return {
        "name": "loading",
        "data": {
            "source": {"name": "folder", "root": str(asked.folder), "splits": "ignore"},
            "inputs": {"image": image},
            "targets": {"label": {"type": "category"}},
            "split": {"train": 1.0},
            "augment": [crop, "flip"],
            "cache": cache,
            "workers": asked.workers,
        },
        "model": "cnn",
        "train": {"batch_size": BATCH, "device": "cpu"},
    }


def make(asked: Job, cache: str) -> Callable[[int], Iterable[tuple[Any, int]]]:
    """Prepares the data and builds the loader."""
    loaded = recipes.load(recipe(asked, cache)).recipe
    data = prepare(loaded.data, cache_dir=cache_dir(), workers=asked.workers)
    execution = Execution(device="cpu", threads=torch.get_num_threads(), channels_last=True)
    store = build_store(data, torch.device("cpu"))
    loader = build_loader(loaded, data, store, "train", execution, training=True)
    return lambda epoch: (
        (batch.inputs["image"], len(batch)) for step in loader.batches(epoch) for batch in step
    )


def run(cache: str) -> None:
    """Measures the job of this process."""
    asked = job()
    measure(lambda: make(asked, cache), asked)


if __name__ == "__main__":
    run(CACHE)
