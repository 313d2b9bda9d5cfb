"""Class folders of images."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.processors.category import factorise
from trainwright.data.sniffing.guess import Guess, Undescribed, missing_split, named_splits, training_rows
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.folder import FolderSource
from trainwright.errors import DataError
from trainwright.wording import counted


def detect(path: Path) -> Guess | None:
    """Any folder, and any zip archive. Raises `Undescribed` where no class folders lie in it."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    try:
        source = FolderSource(root=str(path))
    except DataError as error:
        raise Undescribed(error.what, where=error.where, why=error.why, fix=error.fix) from error
    names, _ = factorise(source.column("label"))
    column, why = image_column(source.column("image"))
    given = source.splits()
    notes = [
        f"class folders: {counted(len(source), 'image')} in {counted(len(names), 'class', 'classes')}"
        + (f", splits {named_splits(given)}" if given else ", no split folders"),
        why,
        *source.notices,
    ]
    return Guess(
        {"name": "folder", "root": str(path)},
        {"image": column},
        {"label": {"type": "category"}},
        missing_split(source),
        len(source),
        notes,
        training_rows(source),
    )
