"""Clean pictures that restoration is measured on, which lie in folders that are no classes."""

from __future__ import annotations

import re
from pathlib import Path

from trainwright.data.sniffing.annotated import guess_of
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sources.degraded import DegradedSource
from trainwright.data.sources.file_set import FileSet

_SETS = re.compile(
    r"set(5|12|14)|c?bsds?[-_ ]?(68|100|200|300|500)|b100|kodak([-_ ]?24)?|mc[-_ ]?master|general[-_ ]?100"
    r"|urban[-_ ]?100|manga[-_ ]?109|(div|flickr)[-_ ]?2k|classic[-_ ]?5|live[-_ ]?1|sun[-_ ]?hays[-_ ]?80"
)
_BLUR = 2.0


def detect(path: Path) -> Guess | None:
    """A folder named like a set of clean pictures (Set5, BSD68, DIV2K, ...), or one with such folders."""
    if not path.is_dir():
        return None
    files = FileSet(path)
    names = {name.split("/")[0] if "/" in name else path.resolve().name for name in files.under("")}
    if not names or not all(_SETS.fullmatch(name.lower()) for name in names):
        return None
    spec = {"name": "degraded", "root": str(path), "blur": _BLUR}
    source = DegradedSource(root=str(path), blur=_BLUR)
    image, why = image_column(source.column("target"))
    notes = [
        f"{len(source)} clean pictures ({', '.join(sorted(names))}): sets for restoration, no classes",
        f"the input is each picture with a made blur of {_BLUR:g} pixels, the target is the picture itself; "
        f"see also noise and shrink",
        why,
    ]
    return guess_of(source, spec, {"input": image}, {"target": {"type": "image"}}, notes)
