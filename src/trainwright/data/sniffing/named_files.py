"""Files without folders of classes: clips, recordings or pictures, with labels in their names perhaps."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from trainwright import registry
from trainwright.data.sniffing.annotated import guess_of
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.file_set import FileSet, stem
from trainwright.data.sources.files import SUFFIXES, FilesSource
from trainwright.wording import counted

_WORDNET = re.compile(r"n\d{8}_.+")
_MOST_CLASSES = 1000


def detect(path: Path) -> Guess | None:
    """A folder or archive of clips or recordings, or of pictures that lie in one folder."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    kind = max(SUFFIXES, key=lambda name: len(files.under("", SUFFIXES[name])))
    found = files.under("", SUFFIXES[kind])
    folders = {name.rpartition("/")[0] for name in found}
    if not found or (kind == "image" and len(folders) > 1):
        return None
    pattern, why = _pattern(found, folders)
    if kind == "image" and pattern is None:
        return None
    spec: dict[str, Any] = {"name": "files", "root": str(path), "kind": kind}
    if pattern is not None:
        spec["pattern"] = pattern
    source = FilesSource(**{key: value for key, value in spec.items() if key != "name"})
    labels = Counter(map(str, source.column("label"))) if "label" in source.columns else Counter()
    notes = [counted(len(source), f"{kind} file"), why]
    inputs: dict[str, Any] = {kind: {"type": kind}}
    if kind == "image":
        inputs["image"], size = image_column(source.column("image"))
        notes.append(size)
    targets = {"label": {"type": "category"}} if labels and min(labels.values()) > 1 else {}
    if not targets:
        notes.append("nothing to learn is known of them: for prediction, or add a target")
    if kind not in registry.TABLES["processor"]:
        notes.append(f"there is no column type {kind!r} here")
    return guess_of(source, spec, inputs, targets, notes)


def _pattern(found: list[str], folders: set[str]) -> tuple[str | None, str]:
    """A pattern with a part `label`, and why; None where the names say nothing."""
    names = [PurePosixPath(stem(name)).name for name in found]
    ending = PurePosixPath(found[0]).suffix
    if all(map(_WORDNET.fullmatch, names)):
        return f"{{wnid}}_{{label}}{ending}", "names begin with WordNet numbers, as ImageNet's do"
    below = Counter(name.rpartition("/")[0].rpartition("/")[2] for name in found)
    if len(below) > 1 and "" not in below and len(folders) == len(below):
        return "{label}/{}", "the folder is taken for the label"
    parts = [name.split("_") for name in names]
    width = len(parts[0])
    if width < 2 or any(len(words) != width for words in parts):
        return None, "their names tell no labels"
    for place in range(width):
        counts = Counter(words[place] for words in parts)
        if 2 <= len(counts) <= min(_MOST_CLASSES, len(found) // 2) and min(counts.values()) > 1:
            fields = [f"part_{number}" for number in range(width)]
            fields[place] = "label"
            return "_".join(
                f"{{{field}}}" for field in fields
            ), f"part {place + 1} of the names is taken for the label"
    return None, "their names tell no labels"
