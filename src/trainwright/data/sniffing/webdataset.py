"""WebDataset's tar shards."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.guess import Guess, missing_split, named_splits, training_rows
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.webdataset import WebDatasetSource
from trainwright.errors import DataError
from trainwright.wording import counted

_SUFFIXES = (".tar", ".tar.gz", ".tgz")


def detect(path: Path) -> Guess | None:
    """A tar shard, or a folder of nothing but shards."""
    if path.is_dir():
        files = [item for item in path.iterdir() if not item.name.startswith(".")]
        if not files or not all(item.name.lower().endswith(_SUFFIXES) for item in files):
            return None
    elif not path.name.lower().endswith(_SUFFIXES):
        return None
    source = WebDatasetSource(root=str(path))
    labels = [name for name, role in source.columns.items() if role in ("category", "number", "categories")]
    if "image" not in source.columns or not labels:
        raise DataError(
            "the shards have no pictures with labels",
            where=str(path),
            why=f"their columns are {', '.join(source.columns)}",
            fix="write the recipe by hand with source: {name: webdataset}",
        )
    column, why = image_column(source.column("image"))
    target = "cls" if "cls" in labels else labels[0]
    notes = [
        f"tar shards: {counted(len(source), 'sample')} with {', '.join(source.columns)}",
        why,
        *source.notices,
    ]
    if source.splits():
        notes.append(f"splits by the shards' names: {named_splits(source.splits())}")
    return Guess(
        {"name": "webdataset", "root": str(path)},
        {"image": column},
        {"label": {"type": source.columns[target], "column": target}},
        missing_split(source),
        len(source),
        notes,
        training_rows(source),
    )
