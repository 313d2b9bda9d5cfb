"""Pictures with a text each, in a text file beside them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import FileSet, examples, stem, suffix
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.sources.split_words import split_of_path
from trainwright.data.types import RawFile

_LONGEST = 1 << 20


class ImageTextSource(GatheredSource):
    """Image-text pairs: `a.jpg` and `a.txt`.

    A picture without a text, with an empty one, or with one that is no UTF-8 is a fault.

    Columns:
        image: The picture's file.
        text: The text, without white space around it.

    Args:
        root: Folder or zip archive.
        text_suffix: Suffix of the text files.
        splits: `auto` takes folders named train, val and test as splits; `ignore` joins them.
    """

    columns = {"image": "image", "text": "text"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image",)

    def __init__(
        self, *, root: str, text_suffix: str = ".txt", splits: Literal["auto", "ignore"] = "auto"
    ) -> None:
        super().__init__()
        files = FileSet(existing(root, "data.source.root"))
        pictures: list[RawFile] = []
        texts: list[str] = []
        used: set[str] = set()
        for name in files.under(""):
            partner = f"{stem(name)}{text_suffix}"
            text, problem = _read(files, partner)
            used.add(partner)
            if problem:
                self.faults.append((name, problem))
                continue
            if splits == "auto":
                self.put_in_split(split_of_path(name), len(self.names))
            self.names.append(name)
            pictures.append(files.file(name))
            texts.append(text)
            self._extra_files += files.paths([partner])
        alone = [name for name in files.names if suffix(name) == text_suffix and name not in used]
        if alone:
            self._notes[f"texts have no picture and were left out: {examples(alone)}"] = len(alone)
        self.values = {"image": pictures, "text": texts}
        self.finish(str(files.root), f"looked for pictures with a {text_suffix} file of the same name")


def _read(files: FileSet, name: str) -> tuple[str, str]:
    """The text, and what is wrong with it."""
    if name not in files:
        return "", f"{name} is not there"
    data = files.read(name)
    if len(data) > _LONGEST:
        return "", f"{name} has {len(data)} bytes, which is no text of a picture"
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        return "", f"{name} is no UTF-8 text (byte {error.start})"
    return text, "" if text else f"{name} is empty"
