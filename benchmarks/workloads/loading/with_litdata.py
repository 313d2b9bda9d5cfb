"""litdata's optimised chunks of JPEG bytes, as its documentation does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import litdata

from benchmarks.workloads.loading import BATCH, job, measure
from benchmarks.workloads.loading.peers import decode, varied

asked = job()


class Photos(litdata.StreamingDataset):
    """Decodes and varies each picture."""

    read = staticmethod(decode(asked.decoder))
    vary = staticmethod(varied(asked.size))

    def __getitem__(self, index: Any) -> tuple[Any, int]:
        item = super().__getitem__(index)
        return self.vary(self.read(item["image"])), item["label"]


def make() -> Callable[[int], Iterable[tuple[Any, int]]]:
    """The streaming loader."""
    data = Photos(str(asked.folder), shuffle=True)
    loader = litdata.StreamingDataLoader(
        data, batch_size=BATCH, num_workers=asked.workers, persistent_workers=asked.workers > 0
    )
    return lambda epoch: ((pictures, len(labels)) for pictures, labels in loader)


if __name__ == "__main__":
    measure(make, asked)
