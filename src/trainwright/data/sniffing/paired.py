"""Folders of pictures that belong together, by names that are usual for such pairs."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.annotated import guess_of
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.paired import PairedSource
from trainwright.wording import counted

_PAIRS = (
    ("blur", "sharp"),
    ("blurred", "sharp"),
    ("input", "target"),
    ("input", "gt"),
    ("noisy", "clean"),
    ("lr", "hr"),
    ("LR", "HR"),
    ("low", "high"),
    ("A", "B"),
)


def detect(path: Path) -> Guess | None:
    """A folder or archive with `blur` and `sharp`, `noisy` and `clean`, `lr` and `hr`, and the like."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    words = {word for folder in files.folders() if files.directly_in(folder) for word in folder.split("/")}
    pair = next((pair for pair in _PAIRS if set(pair) <= words), None)
    if pair is None:
        return None
    folders = {"input": pair[0], "target": pair[1]}
    source = PairedSource(root=str(path), folders=folders)
    image, why = image_column(source.column("input"))
    target, _ = image_column(source.column("target"))
    if target == image:
        target = {"type": "image"}  # it follows its input
    spec = {"name": "paired", "root": str(path), "folders": folders}
    notes = [f"{counted(len(source), 'pair')} of {pair[0]} and {pair[1]} pictures", why]
    return guess_of(source, spec, {"input": image}, {"target": target}, notes)
