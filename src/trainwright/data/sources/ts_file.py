"""The text format of the UCR and UEA archives, `.ts`: a header of `@` lines, then one series a line.

The format is that of Bagnall et al., "The UEA multivariate time series classification archive, 2018"
(arXiv:1811.00075) and of the regression archive of Tan et al. (arXiv:2006.10996).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainwright.errors import DataError

Series = npt.NDArray[np.float64]
_FLAGS = {"true": True, "false": False}
_HEADER_LINES = 10_000  # comments included; a file without `@data` is given up here


@dataclass
class TsHeader:
    """What the lines before `@data` say.

    Attributes:
        dimensions: Channels of every series, None where the header does not say.
        length: Steps of every series, None where it does not say or lengths differ.
        equal: Whether the header promises equal lengths.
        missing: Whether it admits missing values.
        classes: Names of the classes, None without class labels.
        numeric: Whether every series ends with a number to be predicted (`@targetLabel`).
    """

    dimensions: int | None = None
    length: int | None = None
    equal: bool = False
    missing: bool = True
    classes: tuple[str, ...] | None = None
    numeric: bool = False

    @property
    def labelled(self) -> bool:
        """Whether the last field of a line is a label."""
        return self.numeric or self.classes is not None


@dataclass
class TsFile:
    """A parsed file.

    Attributes:
        path: The file.
        header: What its header says.
        series: Values float64 `[T, K]` of every good line; NaN where missing.
        labels: Its class name or number; empty without labels.
        lines: Its line number, from 1.
        faults: Line number and reason of every line that is no series.
        notes: What was assumed, with counts.
    """

    path: Path
    header: TsHeader
    series: list[Series] = field(default_factory=list)
    labels: list[str | float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _BadLine(Exception):
    """A line that is no series, with the reason in words."""


def read_ts(path: Path) -> TsFile:
    """Parses a whole file, one line at a time.

    Raises:
        DataError: The header cannot be understood, or asks for time stamps; names file and line.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = enumerate(file, start=1)
            header = _read_header(path, lines)
            return _read_series(TsFile(path, header), lines)
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}",
            where=str(path),
            fix="check that the file may be read",
        ) from error


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> TsHeader:
    header = TsHeader()
    number = 0
    for number, text in lines:
        line = text.strip()
        if line.lower() == "@data":
            return header
        where = f"{path}:{number}"
        if line.startswith("@"):
            key, *words = line[1:].split() or [""]
            try:
                _apply(header, key.lower(), words, where)
            except ValueError:
                raise DataError(
                    f"cannot understand {line[:80]!r}",
                    where=where,
                    fix="mend the line as the format of the UCR archive has it",
                ) from None
        elif line and not line.startswith("#"):
            raise DataError(
                f"{line[:40]!r} is neither a comment (#) nor a header line (@)",
                where=where,
                why="series begin behind a line @data",
                fix="begin comments with # and headers with @, and the series behind @data",
            )
        if number >= _HEADER_LINES:
            break
    raise DataError(
        "there is no line @data", where=f"{path}:{number}", fix="give a .ts file of the UCR or UEA archive"
    )


def _apply(header: TsHeader, key: str, words: list[str], where: str) -> None:
    """Takes one header line in. Raises ValueError where its words are not what the key needs."""
    first = words[0].lower() if words else ""
    if key == "timestamps" and _flag(first):
        raise DataError(
            "its series have time stamps, which are not read",
            where=where,
            why="models read values at even steps, and the stamps would be dropped in silence",
            fix="resample the series to even steps and write @timeStamps false",
        )
    if key == "missing":
        header.missing = _flag(first)
    elif key == "univariate" and _flag(first):
        header.dimensions = 1
    elif key in ("dimensions", "dimension"):
        header.dimensions = _positive(first)
    elif key == "equallength":
        header.equal = _flag(first)
    elif key == "serieslength":
        header.length = _positive(first)
    elif key == "classlabel" and _flag(first):
        header.classes = tuple(words[1:])
    elif key == "targetlabel":
        header.numeric = _flag(first)


def _flag(word: str) -> bool:
    if word not in _FLAGS:
        raise ValueError(word)
    return _FLAGS[word]


def _positive(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise ValueError(word)
    return int(word)


def _read_series(found: TsFile, lines: Iterator[tuple[int, str]]) -> TsFile:
    header, gaps = found.header, 0
    notes: Counter[str] = Counter()
    for number, text in lines:
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        try:
            series, label = _parse(line, header)
        except _BadLine as error:
            found.faults.append((number, str(error)))
            continue
        if header.dimensions is None:
            header.dimensions = series.shape[1]
        if header.equal and header.length is None:
            header.length = len(series)
        gaps += int(np.isnan(series).any())
        found.series.append(series)
        found.lines.append(number)
        if label is not None:
            found.labels.append(label)
    if gaps and not header.missing:
        notes[f"{found.path.name}: series have missing values, though the header says @missing false"] = gaps
    found.notes = [f"{count} of {text}" for text, count in notes.items()]
    return found


def _parse(line: str, header: TsHeader) -> tuple[Series, str | float | None]:
    """Values `[T, K]` and label of one line. Raises `_BadLine`."""
    parts = line.split(":")
    label: str | float | None = _label(parts.pop().strip(), header) if header.labelled else None
    if header.dimensions is not None and len(parts) != header.dimensions:
        raise _BadLine(f"{len(parts)} channels where {header.dimensions} are expected")
    if not parts:
        raise _BadLine("it holds no values")
    channels = [_values(part, place) for place, part in enumerate(parts)]
    lengths = sorted({len(channel) for channel in channels})
    if len(lengths) > 1:
        raise _BadLine(f"its channels differ in length: {', '.join(map(str, lengths[:5]))} values")
    if header.equal and header.length is not None and lengths[0] != header.length:
        raise _BadLine(f"{lengths[0]} values where {header.length} are expected")
    return np.array(channels).T, label


def _values(text: str, channel: int) -> list[float]:
    # Python's float is the fastest parser at hand; it also takes 1_000, which nobody means.
    words = text.split(",")
    try:
        if "_" in text:
            raise ValueError
        values = [math.nan if word.strip() == "?" else float(word) for word in words]
    except ValueError:
        wrong = next((word for word in words if not _is_number(word)), text)
        if wrong.lstrip().startswith("("):
            raise _BadLine("it has time stamps, which are not read") from None
        raise _BadLine(f"channel {channel}: {wrong.strip()[:40]!r} is not a number") from None
    if math.inf in values or -math.inf in values:
        raise _BadLine(f"channel {channel} holds an infinite value")
    return values


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return word.strip() == "?"
    return "_" not in word


def _label(word: str, header: TsHeader) -> str | float:
    if header.numeric:
        try:
            return float(word)
        except ValueError:
            raise _BadLine(f"its target {word[:40]!r} is not a number") from None
    if not word or (header.classes and word not in header.classes):
        raise _BadLine(f"its class {word[:40]!r} is not among those of the header")
    return word
