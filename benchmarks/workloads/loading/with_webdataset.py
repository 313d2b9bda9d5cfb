"""webdataset's shards, as its documentation does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import webdataset as wds

from benchmarks.workloads.loading import BATCH, job, measure
from benchmarks.workloads.loading.peers import decode, varied

asked = job()


def make() -> Callable[[int], Iterable[tuple[Any, int]]]:
    """A pipeline over the shards; the loader only collects what workers have batched."""
    read, vary = decode(asked.decoder), varied(asked.size)
    shards = sorted(str(path) for path in asked.folder.glob("*.tar"))
    data = (
        wds.WebDataset(shards, shardshuffle=len(shards), workersplitter=wds.split_by_worker)
        .shuffle(1000)
        .to_tuple("jpg", "cls")
        .map_tuple(lambda data: vary(read(data)), int)
        .batched(BATCH)
    )
    loader = wds.WebLoader(
        data, batch_size=None, num_workers=asked.workers, persistent_workers=asked.workers > 0
    )
    return lambda epoch: ((pictures, len(labels)) for pictures, labels in loader)


if __name__ == "__main__":
    measure(make, asked)
