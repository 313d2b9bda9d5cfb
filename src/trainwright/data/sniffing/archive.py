"""A folder that holds nothing but one archive."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.guess import Guess

_PAPERS = ("readme", "license", "licence", "copying", "notice")


def detect(path: Path) -> Guess | None:
    """What the only archive of a folder is taken for, where papers lie beside it at most."""
    if not path.is_dir():
        return None
    items = [item for item in path.iterdir() if not item.name.startswith(".")]
    data = [item for item in items if not item.name.lower().startswith(_PAPERS)]
    if len(data) != 1 or data[0].suffix.lower() != ".zip":
        return None
    from trainwright.data.sniffing import sniff

    return sniff(data[0])
