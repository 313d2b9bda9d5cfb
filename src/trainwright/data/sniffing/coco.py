"""COCO JSON of every kind."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from trainwright.data.sniffing.annotated import annotated_guess, guess_of, whole_picture
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.coco import CocoSource
from trainwright.data.sources.coco_captions import CocoCaptionsSource
from trainwright.data.sources.coco_likeness import looks_like_coco
from trainwright.data.sources.coco_panoptic import CocoPanopticSource
from trainwright.data.sources.file_set import examples, in_split_order
from trainwright.data.sources.json_text import JsonText
from trainwright.data.sources.split_words import split_of_word
from trainwright.errors import DataError

_HEAD = 1 << 20
_MEMBERS = ("images", "annotations")
_KINDS = ("instances", "person_keypoints", "captions", "panoptic")


def detect(path: Path, wanted: str = "", images: str | None = None) -> Guess | None:
    """A JSON file with `images` and `annotations`, or a folder with such files.

    In a folder they may lie in `annotations`, in the folder itself, or in a folder of each split.

    Args:
        path: The file or folder.
        wanted: Kind of the files that are taken where there are several: `instances`, `person_keypoints`,
            `captions` or `panoptic`; in this order when absent.
        images: Folder or archive of the pictures; looked for near the file when absent.
    """
    if path.is_dir():
        found = [item for folder in _folders(path) for item in sorted(folder.glob("*.json"))]
        files = [item for item in found if looks_like_coco(item)]
    else:
        found = [path] if path.suffix.lower() == ".json" else []
        files = [item for item in found if looks_like_coco(item)]
    if not files:
        for item in found:
            if path.is_file() or looks_like_coco(item, some=True):
                _refuse(item)
        return None
    kinds: dict[str, list[Path]] = defaultdict(list)
    for item in files:
        kinds[_kind(item)].append(item)
    kind = next(name for name in (wanted, *_KINDS) if name in kinds)
    chosen = _by_split(kinds[kind])
    used = set(chosen.values())
    others = [item.name for item in files if item not in used]
    notes = [f"COCO JSON: {', '.join(item.name for item in chosen.values())}"]
    notes += [f"left aside: {examples(others)}"] if others else []
    guess = _guess(kind, chosen, notes, {} if images is None else {"images": images})
    guess.aside = others
    return guess


def _folders(path: Path) -> list[Path]:
    """Where the files of a folder may lie."""
    splits = [item for item in sorted(path.iterdir()) if split_of_word(item.name) and item.is_dir()]
    return [path / "annotations", path, *splits]


def _guess(kind: str, chosen: dict[str, Path], notes: list[str], pictures: dict[str, str]) -> Guess:
    named: Any = {split: str(item) for split, item in chosen.items()}
    if "" in named:
        named = named[""]
    if kind == "captions":
        captions = CocoCaptionsSource(annotations=named, images=pictures.get("images"))
        image, why = whole_picture(captions.column("image"))
        spec = {"name": "coco_captions", "annotations": named, **pictures}
        return guess_of(captions, spec, {"image": image}, {"caption": {"type": "text"}}, [*notes, why])
    if kind == "panoptic":
        only = str(next(iter(chosen.values())))
        panoptic = CocoPanopticSource(annotations=only, images=pictures.get("images"))
        image, why = whole_picture(panoptic.pictures)
        spec = {"name": "coco_panoptic", "annotations": only, **pictures}
        target = {"mask": {"type": "mask", "classes": list(panoptic.class_names)}}
        return guess_of(panoptic, spec, {"image": image}, target, [*notes, why])
    source = CocoSource(annotations=named, images=pictures.get("images"))
    return annotated_guess(source, {"name": "coco", "annotations": named, **pictures}, notes)


def _by_split(files: list[Path]) -> dict[str, Path]:
    """A file per split that its name tells, or its folder's; the first file alone where one tells none."""
    found: dict[str, Path] = {}
    apart = len({item.parent for item in files}) > 1
    for item in files:
        words = item.stem.replace("-", "_").replace(".", "_").split("_")
        words += [item.parent.name] if apart else []
        split = next((split for word in words if (split := split_of_word(word))), None)
        if split is None:
            return {"": files[0]}
        found.setdefault(split, item)
    return {split: found[split] for split in in_split_order(found)}


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b'"segments_info"' in head or path.name.startswith("panoptic"):
        return "panoptic"
    if b'"caption"' in head or path.name.startswith("captions"):
        return "captions"
    return "person_keypoints" if "keypoints" in path.name else "instances"


def _refuse(path: Path) -> None:
    """Raises `DataError`: the line and column where the JSON is cut off or broken, or what it lacks."""
    members = JsonText(path, "the file").scan({})
    lacking = [name for name in _MEMBERS if name not in members]
    raise DataError(
        f"the JSON has no {' and no '.join(lacking) or 'annotations that are known'}",
        where=str(path),
        why="of .json files those of COCO are known, an object with lists `images` and `annotations`",
        fix="give the COCO file or the folder with it, or write other data as .jsonl, .csv or .parquet",
    )
