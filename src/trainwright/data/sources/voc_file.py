"""One Pascal VOC XML file: what it says of one picture, with the line of everything that is wrong.

Format: Everingham et al., "The PASCAL Visual Object Classes Challenge 2012 Development Kit", section 5.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from trainwright.data.sources.plain_xml import Element, parse

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = ("difficult", "truncated", "occluded")
_LARGEST = 1 << 20
_READ = frozenset(("name", "bndbox", *FLAGS))


@dataclass
class VocObject:
    """One object.

    Attributes:
        label: Its class.
        box: xmin, ymin, xmax, ymax as they stand there.
        flags: `difficult`, `truncated` and `occluded`, 0 or 1 each.
        place: Where it begins: the line, and where others begin there too its number in the file.
    """

    label: str
    box: tuple[float, float, float, float]
    flags: tuple[float, ...]
    place: str


@dataclass
class VocFile:
    """What a file says.

    Attributes:
        picture: File name of the picture, empty where none stands there.
        size: Height and width, None where none stands there.
        orientation: That of the picture's EXIF, where it is annotated as stored.
        objects: Objects that can be read.
        problems: Place and reason of each object that cannot.
        damage: Line and reason, where the file as a whole cannot be trusted.
        unread: What nothing is made of, with counts.
    """

    picture: str = ""
    size: tuple[int, int] | None = None
    orientation: int = 1
    objects: list[VocObject] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    damage: tuple[int, str] | None = None
    unread: Counter[str] = field(default_factory=Counter)


def read_voc(data: bytes) -> VocFile:
    """Reads one file; never raises.

    Args:
        data: The file's bytes.
    """
    document = parse(data)
    found = VocFile()
    if document.error is not None:
        found.damage = (document.line, f"the XML is not whole: {document.error}")
    root = document.root
    if root is None or root.tag != "annotation":
        what = "nothing" if root is None else f"<{root.tag}>"
        found.damage = found.damage or (1, f"it holds {what} where <annotation> belongs")
        return found
    found.picture = root.word("filename") or ""
    height, width = _number(root.word("size", "height")), _number(root.word("size", "width"))
    if height and width and 0 < height < _LARGEST and 0 < width < _LARGEST:
        found.size = (int(height), int(width))
    elements = root.all("object")
    begun = Counter(element.line for element in elements)
    for number, element in enumerate(elements, start=1):
        shared = begun[element.line] > 1
        _add_object(found, element, f"{element.line}, object {number}" if shared else str(element.line))
    return found


def _add_object(found: VocFile, element: Element, place: str) -> None:
    label = element.word("name")
    box = element.first("bndbox")
    if not label:
        found.problems.append((place, "the object has no <name>"))
        return
    words = [box.word(corner) for corner in _CORNERS] if box is not None else [None] * 4
    absent = [corner for corner, word in zip(_CORNERS, words, strict=True) if not word]
    if absent:
        found.problems.append((place, f"the object {label!r} has no {', '.join(absent)}"))
        return
    numbers = [_number(word) for word in words]
    if any(number is None for number in numbers):
        found.problems.append(
            (place, f"the box of {label!r} is no four numbers: {', '.join(map(str, words))}")
        )
        return
    corners = tuple(number for number in numbers if number is not None)
    flags = tuple(_number(element.word(name)) or 0.0 for name in FLAGS)
    for child in element.children:
        says = child.children or child.text.strip().lower() not in ("", "0", "unspecified")
        if child.tag not in _READ and says:
            found.unread[f"values of {child.tag[:40]!r} of objects"] += 1
    found.objects.append(VocObject(label, corners, flags, place))  # type: ignore[arg-type]


def _number(word: str | None) -> float | None:
    """A finite number, None for everything else."""
    if not word or len(word) > 40:
        return None
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e15 else None
