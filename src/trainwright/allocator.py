"""Keeps freed memory in the process, so that training does not fault its activations in anew each step."""

from __future__ import annotations

import ctypes
import os
import sys

# Constants of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Tells the C library to reuse large blocks; to be called before torch is imported.

    By default glibc maps every block above 32 MiB anew and gives freed memory back to the kernel, which
    then zeroes the same pages again at every step: up to a third of the time of a small network on the
    CPU. `TRAINWRIGHT_ALLOCATOR=system` leaves the allocator as it is; so does a process in which torch
    is loaded already, whose owner may have set it up otherwise, and a system without glibc.
    """
    if os.environ.get("TRAINWRIGHT_ALLOCATOR") == "system" or "torch" in sys.modules:
        return
    # Large blocks on huge pages; torch reads this at its first allocation.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        library.mallopt(_M_TOP_PAD, 64 * 2**20)


def give_back_freed_memory() -> None:
    """Gives back what training has freed, which `keep_freed_memory` kept: scoring needs little of it."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):
            library.malloc_trim(0)
