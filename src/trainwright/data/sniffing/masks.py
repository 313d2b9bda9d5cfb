"""Pictures with index masks."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.annotated import guess_of, whole_picture
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.masks import MasksSource, mask_folders, mask_lists


def detect(path: Path) -> Guess | None:
    """A folder or archive with lists of pictures and masks, or with folders `images` and `masks`."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    if not mask_lists(files) and mask_folders(files) is None:
        return None
    source = MasksSource(root=str(path))
    image, why = whole_picture(source.column("image"))
    notes = [
        f"{len(source)} pictures with a mask each",
        "classes are the numbers in the masks; name them with `classes`, and what is no class with `void`",
        why,
    ]
    return guess_of(
        source, {"name": "masks", "root": str(path)}, {"image": image}, {"mask": {"type": "mask"}}, notes
    )
