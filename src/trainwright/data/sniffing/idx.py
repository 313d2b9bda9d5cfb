"""idx files: MNIST and its kin."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.guess import Guess, missing_split, named_splits, training_rows
from trainwright.data.sources.idx import IdxSource


def detect(path: Path) -> Guess | None:
    """A folder with idx files, packed or not."""
    if not path.is_dir() or not (any(path.glob("*-idx[13]-ubyte*")) or any(path.glob("*.idx[13]-ubyte*"))):
        return None
    source = IdxSource(root=str(path))
    height, width = source.image_size
    inputs = {"image": {"type": "image", "size": [height, width]}}
    notes = [
        f"idx files with {len(source)} images of {height}x{width}, splits {named_splits(source.splits())}"
    ]
    return Guess(
        {"name": "idx", "root": str(path)},
        inputs,
        {"label": {"type": "category"}},
        missing_split(source),
        len(source),
        notes,
        training_rows(source),
    )
