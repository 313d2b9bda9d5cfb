"""Pascal VOC."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.annotated import annotated_guess
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.voc import VocSource

_LOOKED_AT = 5


def detect(path: Path) -> Guess | None:
    """A folder or archive with XML files that hold `<annotation>`."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    found = files.under("", [".xml"])[:_LOOKED_AT]
    if not any(b"<annotation" in files.read(name)[:4096] for name in found):
        return None
    source = VocSource(root=str(path))
    return annotated_guess(
        source, {"name": "voc", "root": str(path)}, ["Pascal VOC: an XML file per picture"]
    )
