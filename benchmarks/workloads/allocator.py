"""Keeps freed memory in the process, so that every step does not fault its activations in anew."""

from __future__ import annotations

import ctypes
import os
import sys

# Constants of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Call before torch is imported. Without glibc it does nothing.

    By default glibc maps blocks above 32 MiB anew at each allocation and gives freed memory back; the
    kernel then zeroes the same pages again at every step, which took a fifth of W1 in fp32 and a
    third in bf16.
    """
    # Large blocks on huge pages; read by torch at its first allocation.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(_M_MMAP_MAX, 0)
            library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
            library.mallopt(_M_TOP_PAD, 64 * 2**20)
