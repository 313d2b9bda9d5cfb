"""Pictures with a mask of classes each: a second image whose pixels are class numbers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from trainwright.data.picture_sizes import PictureSizes
from trainwright.data.processors.mask_reading import pixels_of
from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import FileSet, examples, leaves_root, stem
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.sources.grouping import group_by_folder
from trainwright.data.sources.split_words import split_of_path
from trainwright.data.sources.yolo_config import class_table, read_config
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import DataError

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "JPEGImages", "leftImg8bit", "rgb")
MASK_FOLDERS = (
    "masks",
    "mask",
    "labels",
    "label",
    "annotations",
    "SegmentationClass",
    "gtFine",
    "gt",
    "annot",
)
_LISTS = ("train", "val", "test")


class MasksSource(GatheredSource):
    """Pictures and index masks, found by lists or by equal names in sibling folders.

    Lists are `train.txt`, `val.txt` and `test.txt` at the root with a picture and its mask a line, as
    CamVid has them. Else a mask has the name of its picture in a sibling folder. A picture without a mask,
    and one whose size is not its mask's, are faults.

    Columns:
        image: The picture's file.
        mask: The mask's file; its pixel values are class numbers.

    Args:
        root: Folder or zip archive.
        images: Folder of the pictures, a path from the root or a name in it; found when absent.
        masks: Folder of the masks.
        classes: Names of the classes in the order of their numbers.
        config: YAML file, or list of names, relative to the root, that names the classes by number.
        splits: `auto` takes the lists, or folders named train, val and test; `ignore` joins them.

    Attributes:
        class_names: Names of the classes in the order of their numbers, empty where none are known.
        class_ids: Their numbers in the masks.
    """

    columns = {"image": "image", "mask": "mask"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image", "mask")

    def __init__(
        self,
        *,
        root: str,
        images: str | None = None,
        masks: str | None = None,
        classes: list[str] | None = None,
        config: str | None = None,
        splits: Literal["auto", "ignore"] = "auto",
    ) -> None:
        super().__init__()
        self._files = FileSet(existing(root, "data.source.root"))
        self._by_split = splits == "auto"
        table = class_table(classes, "data.source.classes")
        if config is not None:
            if config not in self._files:
                raise DataError(
                    f"{config} does not exist",
                    where="data.source.config",
                    why=f"looked in {root}",
                    fix="give the path of the file, from the root of the data",
                )
            table = read_config(self._files, config).classes
            self._extra_files += self._files.paths([config])
        self.class_ids = tuple(sorted(table))
        self.class_names = tuple(table[number] for number in self.class_ids)
        self._pairs: list[tuple[str, str, str | None]] = []
        lists = mask_lists(self._files) if images is None and masks is None else {}
        if lists:
            for split, name in lists.items():
                self._read_list(name, split)
        else:
            self._pair_by_name(images, masks)
        self._settle()
        self.finish(str(self._files.root), "looked for pictures and masks of equal names in sibling folders")

    def _read_list(self, name: str, split: str) -> None:
        self._extra_files += self._files.paths([name])
        lines = self._files.read(name).decode("utf-8-sig", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words:
                continue
            if len(words) != 2:
                self.faults.append(
                    (f"{name}:{number}", f"{len(words)} words where a picture and its mask belong")
                )
                continue
            wrong = [
                word for word in words if leaves_root(word) or word.removeprefix("./") not in self._files
            ]
            if wrong:
                self.faults.append((f"{name}:{number}", f"{wrong[0]} is not there"))
                continue
            picture, mask = (word.removeprefix("./") for word in words)
            self._pairs.append((picture, mask, split))

    def _pair_by_name(self, images: str | None, masks: str | None) -> None:
        names = self._files.under("")
        if images is None or masks is None:
            found = mask_folders(self._files)
            if found is None:
                raise DataError(
                    "no folder of masks is found",
                    where=str(self._files.root),
                    why=f"looked for folders such as {IMAGE_FOLDERS[0]} and {', '.join(MASK_FOLDERS[:5])}",
                    fix="name them: data.source.images and data.source.masks",
                )
            images, masks = images or found[0], masks or found[1]
        orphans = []
        for members in group_by_folder(names, {"image": images, "mask": masks}).values():
            pictures, partners = members.get("image", []), members.get("mask", [])
            if not pictures:
                orphans += partners
            elif len(partners) != 1:
                said = (
                    f"it has {len(partners)} masks in {masks}" if partners else f"it has no mask in {masks}"
                )
                self.faults += [(picture, said) for picture in pictures]
            else:
                self._pairs += [(picture, partners[0], split_of_path(picture)) for picture in pictures]
        if orphans:
            self._notes[f"masks have no picture and were left out: {examples(orphans)}"] = len(orphans)

    def _settle(self) -> None:
        """Compares the sizes of pictures and masks, and makes rows of the pairs that are left."""
        sizes = PictureSizes(self._files.root)
        pictures = [self._files.file(pair[0]) for pair in self._pairs]
        masks = [self._files.file(pair[1]) for pair in self._pairs]
        kept: dict[str, list[RawFile]] = {"image": [], "mask": []}
        wide = zip(self._pairs, pictures, masks, sizes.all(pictures), sizes.all(masks), strict=True)
        for (name, mask_name, split), picture, mask, size, mask_size in wide:
            if size is not None and mask_size is not None and size != mask_size:
                said = f"the picture has {size[1]}x{size[0]} pixels, its mask {mask_size[1]}x{mask_size[0]}"
                self.faults.append((name, f"{said}{_ids_of(mask)}: {mask_name}"))
                continue
            if self._by_split:
                self.put_in_split(split, len(self.names))
            self.names.append(name)
            kept["image"].append(picture)
            kept["mask"].append(mask)
        self.values = dict(kept)


def _ids_of(mask: RawFile) -> str:
    """The ids of a mask that is left out, which nobody else will look at."""
    try:
        ids = pixels_of(mask)
    except BadSample:
        return ""
    return f" with ids from {ids.min()} to {ids.max()}" if ids.ndim == 2 else ""


def mask_lists(files: FileSet) -> dict[str, str]:
    """Split -> list at the root whose first line names two image files."""
    found = {}
    for split in _LISTS:
        name = f"{split}.txt"
        if name in files:
            first = files.read(name)[:4096].decode("utf-8-sig", errors="replace").split("\n", 1)[0].split()
            if len(first) == 2 and all(word.removeprefix("./") in files for word in first):
                found[split] = name
    return found


def mask_folders(files: FileSet) -> tuple[str, str] | None:
    """Folders of pictures and of masks by their usual names, None where there are none."""
    folders = [folder.split("/") for folder in files.folders() if files.directly_in(folder)]
    words = {word for folder in folders for word in folder}
    images = next((word for word in IMAGE_FOLDERS if word in words), None)
    masks = next((word for word in MASK_FOLDERS if word in words), None)
    if images is None or masks is None:
        return None
    names = {stem(name.rpartition("/")[2]) for name in files.under("") if images in name.split("/")}
    partners = {stem(name.rpartition("/")[2]) for name in files.under("") if masks in name.split("/")}
    return (images, masks) if names & partners else None
