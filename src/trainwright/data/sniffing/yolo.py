"""YOLO labels, in every usual layout of folders."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from trainwright.data.sniffing.annotated import annotated_guess
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.file_set import FileSet, stem
from trainwright.data.sources.yolo import YoloSource

_LOOKED_AT = 10
_YAML = (".yaml", ".yml")


def detect(path: Path) -> Guess | None:
    """A `data.yaml`, or a folder or archive with pictures and label files."""
    if path.suffix.lower() in _YAML:
        return _guess({"root": str(path)}, [])
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    labels = [
        folder for folder in files.folders() if "labels" in folder.split("/") and _has_labels(files, folder)
    ]
    if not labels:
        return _guess({"root": str(path)}, []) if _labels_beside(files) else None
    parents = sorted({folder[: f"/{folder}/".index("/labels/")].rstrip("/") for folder in labels})
    own = [parent for parent in parents if _has_pictures(files, parent)]
    if own or not files.has_folder("images"):
        return _guess({"root": str(path)}, [])
    chosen = next((parent for parent in parents if "detect" in parent), parents[0])
    spec: dict[str, Any] = {"root": str(path), "images": "images", "labels": f"{chosen}/labels"}
    config = files.directly_in(chosen, _YAML)
    if config:
        spec["config"] = config[0]
    others = [parent for parent in parents if parent != chosen]
    notes = [f"labels of {chosen} are used; there are also those of {', '.join(others)}"] if others else []
    return _guess(spec, notes)


def _guess(spec: dict[str, Any], notes: list[str]) -> Guess:
    source = YoloSource(**spec)
    return annotated_guess(source, {"name": "yolo", **spec}, ["YOLO labels: a text file per picture", *notes])


def _has_pictures(files: FileSet, parent: str) -> bool:
    return any(
        "images" in name.split("/") or "labels" not in name.split("/") for name in files.under(parent)
    ) and (parent != "" or files.has_folder("images") or not files.folders())


def _has_labels(files: FileSet, folder: str) -> bool:
    return any(_is_label(files, name) for name in files.directly_in(folder, [".txt"])[:_LOOKED_AT])


def _labels_beside(files: FileSet) -> bool:
    partners = [f"{stem(name)}.txt" for name in files.under("")[:_LOOKED_AT]]
    return any(_is_label(files, name) for name in partners if name in files)


def _is_label(files: FileSet, name: str) -> bool:
    """Whether the first line is a class number and at least four shares."""
    if PurePosixPath(name).name == "classes.txt":
        return False
    words = files.read(name)[:2048].decode("utf-8-sig", errors="replace").split("\n", 1)[0].split()
    try:
        return (
            len(words) >= 5
            and float(words[0]).is_integer()
            and all(-9 < float(word) < 9 for word in words[1:5])
        )
    except ValueError:
        return False
