"""Splits that the names of folders and files tell."""

from __future__ import annotations

import re

from trainwright.data.sources.folder import SPLIT_NAMES

_WORD = re.compile(r"[A-Za-z]+")


def split_of_word(word: str) -> str | None:
    """The split that a folder's name means: `train`, `Validation`, `train2017`, `val_images`."""
    plain = word.lower()
    if plain in SPLIT_NAMES:
        return SPLIT_NAMES[plain]
    first = _WORD.match(plain)
    return SPLIT_NAMES.get(first.group()) if first else None


def split_of_path(name: str) -> str | None:
    """The split that the folders of a relative path tell, the outermost one that tells any."""
    for word in name.split("/")[:-1]:
        split = split_of_word(word)
        if split:
            return split
    return None
