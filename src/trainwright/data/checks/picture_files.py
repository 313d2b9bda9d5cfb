"""Image files that are read, but perhaps not as their owner thinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.picture_headers import Header, read_headers
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.fixes import Fix

_TINY = 4  # pixels of the shorter side up to which a picture shows nothing
_EXTREME = 8.0  # aspect ratio
_QUICKLY = 5000  # headers that are read before a training


@dataclass(frozen=True)
class _Oddity:
    """A property of a header that is worth a word."""

    has: Callable[[Header], bool]
    severity: Severity
    what: str
    detail: Callable[[Header], str]
    why: str
    fix: str = ""
    leave_out: bool = False
    unless: Callable[[Any], bool] = lambda processor: False


_ODDITIES = (
    _Oddity(
        lambda h: h.misnamed,
        Severity.WARNING,
        "image files have the suffix of another format",
        lambda h: f"{h.format} named .{h.suffix}",
        "they are read by their content; other programs may refuse them",
        "rename them",
    ),
    _Oddity(
        lambda h: min(h.height, h.width) <= _TINY,
        Severity.WARNING,
        f"images have at most {_TINY} pixels on a side",
        lambda h: f"{h.width} x {h.height} pixels",
        "enlarged, they show nothing that can be learned",
        "remove them, or let `data fix` leave them out",
        leave_out=True,
    ),
    _Oddity(
        lambda h: max(h.height, h.width) > _EXTREME * min(h.height, h.width) > _EXTREME * _TINY,
        Severity.WARNING,
        f"images are more than {_EXTREME:g} times as long as wide",
        lambda h: f"{h.width} x {h.height} pixels",
        "stretched they are distorted, cropped they lose most of what they show",
        "cut them, or use resize: letterbox",
    ),
    _Oddity(
        lambda h: h.orientation in range(2, 9),
        Severity.NOTICE,
        "images carry an EXIF orientation",
        lambda h: f"orientation {h.orientation}, stored as {h.width} x {h.height}",
        "it is applied: annotations that state the stored size are turned along, all others are taken as "
        "those of the upright picture",
    ),
    _Oddity(
        lambda h: h.mode in ("CMYK", "YCbCr", "LAB", "HSV"),
        Severity.NOTICE,
        "images are no RGB",
        lambda h: h.mode,
        "they are converted to RGB without a colour profile",
    ),
    _Oddity(
        lambda h: h.bits == 16,
        Severity.NOTICE,
        "images have 16 bits per value",
        lambda h: h.mode,
        "they are scaled to 8 bits, 65535 to 255",
        "give the image column depth: 16 to keep them",
        unless=lambda processor: getattr(processor, "depth", 8) == 16,
    ),
    _Oddity(
        lambda h: h.transparent,
        Severity.NOTICE,
        "images are transparent in places",
        lambda h: h.mode,
        "what lies behind is set by the image column's `alpha`: white unless it says otherwise",
    ),
    _Oddity(
        lambda h: h.frames > 1,
        Severity.NOTICE,
        "images are animated, or have several pages",
        lambda h: f"{h.frames} frames",
        "the first frame is used",
        "if the pages of TIFF files are bands, give the image column mode: bands",
        unless=lambda processor: getattr(processor, "mode", "") == "bands",
    ),
)


def find(subject: Subject) -> Iterator[Finding]:
    """Oddities of the files of every image column."""
    for column in subject.of_type("image"):
        rows = subject.sample(subject.rows, len(subject) if subject.thorough else _QUICKLY)
        headers = read_headers(column.values, rows.tolist())
        for oddity in _ODDITIES:
            odd = [header for header in headers if oddity.has(header)]
            if odd and not oddity.unless(column.processor):
                yield _finding(subject, column, oddity, odd)
        if headers and len(rows) < len(subject.rows):
            yield Finding(
                "files",
                Severity.NOTICE,
                len(rows),
                f"headers of image files were looked at, of {len(subject.rows)}",
                fix="`trainwright data check` looks at all of them",
            )


def _finding(subject: Subject, column: CheckedColumn, oddity: _Oddity, odd: list[Header]) -> Finding:
    named = [(subject.names[header.row], header) for header in odd]
    return Finding(
        "files",
        oddity.severity,
        len(odd),
        f"{oddity.what} (column {column.name})",
        oddity.why,
        oddity.fix,
        shown(Example(name, oddity.detail(header), header.row) for name, header in named),
        [Fix("leave_out", name, oddity.detail(header)) for name, header in named] if oddity.leave_out else (),
    )
