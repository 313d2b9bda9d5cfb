"""Pictures with text files beside them."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.annotated import guess_of
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.file_set import FileSet, stem
from trainwright.data.sources.image_text import ImageTextSource


def detect(path: Path) -> Guess | None:
    """A folder or archive where at least every other picture has a `.txt` of its name."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    files = FileSet(path)
    pictures = files.under("")
    if not pictures or 2 * sum(f"{stem(name)}.txt" in files for name in pictures) < len(pictures):
        return None
    source = ImageTextSource(root=str(path))
    image, why = image_column(source.column("image"))
    spec = {"name": "image_text", "root": str(path)}
    return guess_of(
        source, spec, {"image": image}, {"text": {"type": "text"}}, [f"{len(source)} image-text pairs", why]
    )
