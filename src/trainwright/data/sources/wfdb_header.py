"""Headers of WFDB records, `.hea` (G. Moody, "WFDB applications guide", header(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trainwright.data.sources.file_set import leaves_root
from trainwright.errors import DataError

_LARGEST = 1 << 20  # bytes of a header
_MOST_SIGNALS = 512
_MOST_SAMPLES = 1 << 40
_FORMAT = re.compile(r"(\d{1,3})(?:x(\d{1,6}))?(?::(\d{1,9}))?(?:\+(\d{1,12}))?")
_GAIN = re.compile(r"([-+.\deE]+)(?:\(([-+]?\d+)\))?(?:/(\S+))?")
DEFAULT_GAIN = 200.0  # ADC units per physical unit, by the standard


@dataclass(frozen=True)
class WfdbSignal:
    """One signal of a record.

    Attributes:
        file: Its data file, inside the record's folder.
        format: Storage format: 16, 212, ...
        offset: Byte of the file where samples begin.
        gain: ADC units per physical unit.
        baseline: ADC value of 0 physical units.
        checksum: 16-bit sum of all samples, None where it is not given.
        name: Its description, such as `MLII`.
        initial: ADC value before the first sample, for formats of differences.
    """

    file: Path
    format: int
    offset: int
    gain: float
    baseline: int
    checksum: int | None
    name: str
    initial: int = 0


@dataclass(frozen=True)
class WfdbHeader:
    """What a header says.

    Attributes:
        path: The `.hea` file.
        rate: Samples a second of every signal.
        samples: Samples of every signal, None where it is not given.
        signals: In the order of the file.
    """

    path: Path
    rate: float
    samples: int | None
    signals: tuple[WfdbSignal, ...]


def read_wfdb_header(path: Path) -> WfdbHeader:
    """Parses a header.

    Raises:
        DataError: It cannot be understood, uses what is not supported, or names a file outside its folder.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(
                f"a header of {path.stat().st_size:,} bytes is none",
                where=str(path),
                fix="name the .hea file of a record",
            )
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}",
            where=str(path),
            fix="check that the file may be read",
        ) from error
    useful = [(n, text.strip()) for n, text in enumerate(lines, 1) if text.strip() and text.strip()[0] != "#"]
    if not useful:
        raise DataError("the header is empty", where=str(path), fix="download the record again")
    number, first = useful[0]
    try:
        count, rate, samples = _record_line(first)
    except ValueError as error:
        raise DataError(
            f"not the first line of a header: {error}",
            where=f"{path}:{number}",
            fix="download the record again",
        ) from None
    if len(useful) - 1 < count:
        raise DataError(
            f"{len(useful) - 1} of {count} signals are described",
            where=str(path),
            fix="download the record again",
        )
    signals: list[WfdbSignal] = []
    for number, line in useful[1 : count + 1]:
        try:
            signals.append(_signal_line(line, path, len(signals)))
        except ValueError as error:
            raise DataError(
                f"cannot understand the signal: {error}",
                where=f"{path}:{number}",
                fix="download the record again",
            ) from None
    return WfdbHeader(path, rate, samples, tuple(signals))


def _record_line(line: str) -> tuple[int, float, int | None]:
    """Number of signals, rate, and samples. Raises ValueError with what is wrong."""
    words = line.split()
    if "/" in words[0]:
        raise ValueError("records of several segments are not read; name the segments themselves")
    if len(words) < 2:
        raise ValueError(f"{line[:40]!r} names no number of signals")
    count = _whole(words[1], 1, _MOST_SIGNALS, "number of signals")
    rate = float(words[2].split("/")[0]) if len(words) > 2 else 250.0
    if not 0 < rate <= 1e9:
        raise ValueError(f"a rate of {words[2]}")
    samples = _whole(words[3], 0, _MOST_SAMPLES, "number of samples") if len(words) > 3 else 0
    return count, rate, samples or None


def _signal_line(line: str, header: Path, place: int) -> WfdbSignal:
    words = line.split(maxsplit=8)
    if len(words) < 2:
        raise ValueError(f"{line[:40]!r} names no format")
    name, (format, offset) = words[0], _storage(words[1])
    if leaves_root(name) or "/" in name or "\\" in name or name in (".", "~", "-"):
        raise ValueError(f"{name[:60]!r} does not lie in the header's own folder")
    gain, baseline = (words[2] if len(words) > 2 else "0"), None
    match = _GAIN.fullmatch(gain)
    if not match:
        raise ValueError(f"a gain of {gain[:40]!r}")
    factor = float(match[1]) or DEFAULT_GAIN
    if match[2]:
        baseline = _whole(match[2], -(2**31), 2**31, "baseline")
    zero = _whole(words[4], -(2**31), 2**31, "ADC zero") if len(words) > 4 else 0
    initial = _whole(words[5], -(2**31), 2**31, "initial value") if len(words) > 5 else zero
    checksum = _whole(words[6], -(2**31), 2**31, "checksum") if len(words) > 6 else None
    label = words[8].strip() if len(words) > 8 else f"signal {place}"
    if not abs(factor) < 1e30:
        raise ValueError(f"a gain of {gain[:40]!r}")
    base = zero if baseline is None else baseline
    return WfdbSignal(header.parent / name, format, offset, factor, base, checksum, label, initial)


def _storage(word: str) -> tuple[int, int]:
    """Format and byte offset. Raises ValueError for several samples a frame and for skew."""
    match = _FORMAT.fullmatch(word)
    if not match:
        raise ValueError(f"a format of {word[:40]!r}")
    if int(match[2] or 1) != 1:
        raise ValueError("signals of several samples a frame are not read")
    if int(match[3] or 0):
        raise ValueError("skewed signals are not read")
    return int(match[1]), int(match[4] or 0)


def _whole(word: str, low: int, high: int, what: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,13}", word) or not low <= int(word) <= high:
        raise ValueError(f"a {what} of {word[:40]!r}")
    return int(word)
