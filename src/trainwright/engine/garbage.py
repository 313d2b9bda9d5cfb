"""Python's garbage collector during a training."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Collects once, and leaves everything that is alive then out of later collections, until the end.

    A full collection looks at the hundred thousands of objects that imports leave, which takes a tenth of a
    second in the middle of some step, as long as hundreds of steps of a small network.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
