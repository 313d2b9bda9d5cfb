"""Counts in words."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 picture`, `1,200 pictures`, `2 classes`.

    Args:
        count: How many there are.
        one: The noun, and perhaps a verb, for one.
        many: The same for several; the noun with an `s` when absent.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
