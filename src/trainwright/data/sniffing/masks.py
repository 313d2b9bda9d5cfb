"""Pictures with index masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.data.processors.mask_reading import pixels_of
from trainwright.data.sniffing.annotated import guess_of, whole_picture
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.masks import MasksSource, mask_folders, mask_lists
from trainwright.data.types import BadSample
from trainwright.wording import counted

_CAMVID = (
    "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car",
    "Pedestrian", "Bicyclist",
)  # fmt: skip
"""Classes of CamVid as SegNet divides it, in the order of their ids; what is unlabelled comes behind them."""

_LOOKED_AT = 20  # masks


def detect(path: Path) -> Guess | None:
    """A folder or archive with lists of pictures and masks, or with folders `images` and `masks`."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    if not mask_lists(files) and mask_folders(files) is None:
        return None
    source = MasksSource(root=str(path))
    image, why = whole_picture(source.column("image"))
    mask: dict[str, Any] = {"type": "mask"}
    if _is_camvid(files, source):
        mask |= {"classes": list(_CAMVID), "void": [len(_CAMVID)]}
        said = (
            f"folders and ids are CamVid's as SegNet has it: its 11 classes, and {len(_CAMVID)} is no class"
        )
    else:
        said = (
            "classes are the numbers in the masks; name them with `classes`, and what is no class with `void`"
        )
    notes = [f"{counted(len(source), 'picture')} with a mask each", said, why]
    return guess_of(source, {"name": "masks", "root": str(path)}, {"image": image}, {"mask": mask}, notes)


def _is_camvid(files: FileSet, source: MasksSource) -> bool:
    """Whether the folders have SegNet's names, and the masks no more ids than CamVid."""
    if not all(files.has_folder(f"{split}annot") for split in ("train", "val", "test")):
        return False
    masks = source.column("mask")
    try:
        return all(int(pixels_of(masks[row]).max()) <= len(_CAMVID) for row in range(len(masks))[:_LOOKED_AT])
    except BadSample:
        return False
