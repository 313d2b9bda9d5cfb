"""Whether a file is COCO JSON, by its ends alone: such files may have gigabytes."""

from __future__ import annotations

from pathlib import Path

_ENDS = 1 << 20


def looks_like_coco(path: Path, *, some: bool = False) -> bool:
    """Whether the ends of a file have the members `images` and `annotations` of a COCO file.

    Args:
        path: The file.
        some: One of them is enough, as in a file that is cut off.
    """
    with path.open("rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        tail = file.read()
    found = [word in head or word in tail for word in (b'"images"', b'"annotations"')]
    opened = head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")
    return opened and (any(found) if some else all(found))
