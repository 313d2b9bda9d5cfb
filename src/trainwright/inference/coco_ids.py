"""Ids of pictures and classes in COCO's results: of the file that the pictures belong to, or new ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from trainwright.data.sources.coco_categories import CocoCategories
from trainwright.data.sources.coco_images import picture_folder
from trainwright.data.sources.coco_likeness import looks_like_coco
from trainwright.data.sources.json_text import JsonText
from trainwright.errors import DataError, UserError
from trainwright.wording import counted

WRITTEN_BY = "ids of the results of `trainwright predict`"


@dataclass(frozen=True)
class ResultIds:
    """Ids that results are written with.

    Attributes:
        images: Id of each sample, in their order.
        categories: Class -> its id; classes that the file does not have are absent.
        file: The COCO file whose ids they are, None where they are counted from 1.
        names: What is told of each sample's picture, in their order.
    """

    images: list[Any]
    categories: dict[str, Any]
    file: Path | None = None
    names: list[str] = field(default_factory=list)

    def legend(self, sizes: Sequence[tuple[int, int] | None]) -> bytes:
        """A COCO file without annotations that says what the ids mean.

        Args:
            sizes: Height and width of each sample's picture, None where unknown.
        """
        images = []
        for number, name, size in zip(self.images, self.names, sizes, strict=True):
            shape = {} if size is None else {"width": size[1], "height": size[0]}
            images.append({"id": number, "file_name": name, **shape})
        content = {
            "info": {"description": WRITTEN_BY},
            "images": images,
            "categories": [{"id": number, "name": name} for name, number in self.categories.items()],
            "annotations": [],
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def counted_ids(samples: Sequence[str], classes: Sequence[str]) -> ResultIds:
    """Ids from 1 on: a picture's by its place among the samples, a class's by its place in the run."""
    categories = {name: place for place, name in enumerate(classes, start=1)}
    return ResultIds(list(range(1, len(samples) + 1)), categories, None, list(samples))


class CocoListing:
    """Pictures and classes that a COCO file lists; its annotations are passed over.

    Args:
        path: The JSON file.

    Attributes:
        path: The file.
        pictures: File name -> id.
        categories: Class -> id.

    Raises:
        DataError: It is no COCO file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pictures: dict[str, Any] = {}
        listed: list[Any] = []
        classes: list[Any] = []
        text = JsonText(path, "--ids")
        text.scan(
            {
                "images": lambda item, *_: listed.append(item),
                "categories": lambda item, *_: classes.append(item),
                "annotations": lambda *_: None,
            }
        )
        for item in listed:
            name = item.get("file_name") if isinstance(item, dict) else None
            if isinstance(name, str) and type(item.get("id")) in (int, str):
                self.pictures.setdefault(str(PurePosixPath(name)), item["id"])
        self.categories: dict[str, Any] = {}
        known = CocoCategories(classes, path.name, [])
        for item in classes:
            if isinstance(item, dict) and known.place_of(item.get("id")) >= 0:
                self.categories.setdefault(str(item.get("name")), item["id"])
        if not self.pictures:
            raise DataError(
                "it is no COCO file: it lists no images with an id and a file_name",
                where=str(path),
                fix="give the JSON file of the annotations, as COCO describes it",
            )

    def files(self) -> list[Path]:
        """The pictures themselves. Raises DataError where they are not near the file."""
        try:
            folder = picture_folder(self.path, list(self.pictures))
        except DataError as error:
            error.fix = "give the folder of the pictures, and this file as --ids"
            raise
        return [folder / name for name in self.pictures]

    def ids_of(self, samples: Sequence[str]) -> list[Any]:
        """Id of each sample's picture, None where the file does not list it.

        A picture is the one that lies where the file says; where that is unknown, the one whose path ends in
        the listed name.
        """
        try:
            folder: Path | None = picture_folder(self.path, list(self.pictures)).resolve()
        except DataError:
            folder = None
        return [self._id_of(sample, folder) for sample in samples]

    def _id_of(self, sample: str, folder: Path | None) -> Any:
        path = Path(sample)
        if folder is not None and (own := path.resolve()).is_relative_to(folder):
            return self.pictures.get(own.relative_to(folder).as_posix())
        for start in range(len(path.parts)):
            name = "/".join(path.parts[start:])
            if name in self.pictures:
                return self.pictures[name]
        return None


def ids_of_file(listing: CocoListing, samples: Sequence[str], classes: Sequence[str]) -> ResultIds:
    """Ids of a file for all samples.

    Raises:
        UserError: The file does not list a picture, has one id for two of them, or none of the classes.
    """
    images = listing.ids_of(samples)
    unknown = [sample for sample, number in zip(samples, images, strict=True) if number is None]
    if unknown:
        of, listed = counted(len(samples), "picture"), counted(len(listing.pictures), "picture")
        raise UserError(
            f"the file does not list {len(unknown)} of {of}, such as {unknown[0]}",
            where=f"--ids {listing.path}",
            why=f"it lists {listed}, such as {next(iter(listing.pictures))}",
            fix="leave those pictures out, or name the file that they belong to",
        )
    first: dict[Any, str] = {}
    for sample, number in zip(samples, images, strict=True):
        if number in first:
            raise UserError(
                f"two pictures would have the id {number}: {first[number]} and {sample}",
                where=f"--ids {listing.path}",
                why="what is found in them could not be told apart",
                fix="give the pictures of this file alone, each once",
            )
        first[number] = sample
    categories = {name: listing.categories[name] for name in classes if name in listing.categories}
    if not categories:
        there = ", ".join(list(listing.categories)[:10]) or "no categories"
        raise UserError(
            "the file has none of the run's classes",
            where=f"--ids {listing.path}",
            why=f"the run finds {', '.join(classes[:10])}; the file has {there}",
            fix="name a file whose categories are called as the run's classes",
        )
    return ResultIds(images, categories, listing.path, list(samples))


def coco_files(places: Sequence[str], source: Mapping[str, Any]) -> Iterator[Path]:
    """COCO files that the pictures at places may belong to, the likeliest first.

    Args:
        places: Files and folders that were given.
        source: Of the run's recipe.
    """
    found: dict[Path, None] = {}
    for word in places:
        place = Path(word)
        above = place.parent if place.is_file() else place
        folders = [above, above / "annotations", above.parent, above.parent / "annotations"]
        files = [place] if place.suffix.lower() == ".json" else []
        found |= dict.fromkeys(
            [*files, *(item for folder in folders for item in sorted(folder.glob("*.json")))]
        )
    named = source.get("annotations")
    own = named.values() if isinstance(named, Mapping) else [named]
    found |= dict.fromkeys(Path(item) for item in own if isinstance(item, str))
    yield from (path for path in found if path.is_file() and looks_like_coco(path))


def ids_for(
    samples: Sequence[str], classes: Sequence[str], file: str | None, candidates: Iterator[Path]
) -> ResultIds:
    """The ids to write results with.

    Args:
        samples: Pictures, as they are called.
        classes: Of the run's target, in the order of their ids.
        file: The COCO file that the user names.
        candidates: COCO files that the pictures may belong to; the first that lists them all, and has all
            classes, is taken.

    Raises:
        UserError: The named file does not fit.
    """
    if file is not None:
        return ids_of_file(CocoListing(Path(file)), samples, classes)
    for path in candidates:
        try:
            found = ids_of_file(CocoListing(path), samples, classes)
        except UserError:
            continue  # another file of the place, or one that is broken: nobody asked for it
        if len(found.categories) == len(classes):
            return found
    return counted_ids(samples, classes)
