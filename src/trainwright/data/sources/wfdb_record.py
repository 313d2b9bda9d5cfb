"""Samples of WFDB records (signal(5)), and their annotations (annot(5))."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainwright.data.sources.wfdb_header import WfdbHeader, WfdbSignal
from trainwright.errors import DataError

Digital = npt.NDArray[np.int32]
_WORDS = {16: "<i2", 61: ">i2", 32: "<i4", 80: "u1", 160: "<u2"}
_IN_THREES = (310, 311)
_SHIFT = {80: 128, 160: 32768}  # what the unsigned formats add to a sample
_BITS = {8: 8, 16: 16, 61: 16, 32: 32, 80: 8, 160: 16, 24: 24, 212: 12, 310: 10, 311: 10}
_CODES = (*range(1, 15), 16, *range(18, 42))
_SYMBOLS = dict(zip(_CODES, 'NLRaVFJASEj/Q~|sT*D"=pB^t+u?![]en@xf()r', strict=True))
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Symbols that stand for a heart beat."""
AAMI = {
    **dict.fromkeys("NLRBej", "N"),
    **dict.fromkeys("AaJSn", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
"""Symbol of a beat -> its class by ANSI/AAMI EC57: normal, supraventricular, ventricular, fusion, unknown."""
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63


@dataclass(frozen=True)
class Annotations:
    """Marks in a record.

    Attributes:
        places: Sample numbers, int64 `[n]`, ascending.
        symbols: A symbol each.
    """

    places: npt.NDArray[np.int64]
    symbols: list[str]


def read_signals(header: WfdbHeader, wanted: list[int]) -> npt.NDArray[np.float64]:
    """Physical values `[T, K]` of some signals; NaN where a sample is marked as missing.

    Raises:
        DataError: A data file is missing, too short, of another format, or fails its checksum.
    """
    columns: dict[int, npt.NDArray[np.float64]] = {}
    for file in dict.fromkeys(signal.file for signal in header.signals):
        places = [n for n, signal in enumerate(header.signals) if signal.file == file]
        if not set(places) & set(wanted):
            continue
        group = [header.signals[n] for n in places]
        digital = _read_file(file, group, header.samples)
        for column, place in enumerate(places):
            if place in wanted:
                columns[place] = _physical(digital[:, column], group[column])
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise DataError(
            f"its signals have {' and '.join(map(str, sorted(lengths)))} samples",
            where=str(header.path),
            fix="download the record again",
        )
    return np.column_stack([columns[place] for place in wanted])


def _read_file(file: Path, group: list[WfdbSignal], samples: int | None) -> Digital:
    """Samples `[T, signals]` of one data file as they are stored."""
    first, count = group[0], len(group)
    if any((signal.format, signal.offset) != (first.format, first.offset) for signal in group):
        raise DataError(
            "its signals are stored in several formats",
            where=str(file),
            fix="store all signals of the record in one format",
        )
    bits = _BITS.get(first.format)
    if bits is None:
        known = ", ".join(map(str, sorted(_BITS)))
        raise DataError(
            f"format {first.format} is not read",
            where=str(file),
            why=f"known are {known}",
            fix="convert the record with the tools of WFDB",
        )
    try:
        present = file.stat().st_size - first.offset
        held = _held(max(0, present), first.format) // count
        if samples is not None and held < samples:
            raise DataError(
                f"it is cut off: {held} of {samples} samples are there",
                where=str(file),
                fix="download the record again",
            )
        samples = held if samples is None else samples
        size = _size(samples * count, first.format)
        with file.open("rb") as opened:
            opened.seek(first.offset)
            data = opened.read(size)
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}",
            where=str(file),
            fix="check that the file may be read",
        ) from error
    digital = _unpack(data, first.format, samples * count).reshape(samples, count)
    if first.format == 8:  # each byte is the difference from the sample before
        start = np.array([signal.initial for signal in group])
        return (np.cumsum(digital, axis=0, dtype=np.int64) + start).astype(np.int32)
    return digital


def _size(values: int, format: int) -> int:
    """Bytes that a number of samples takes."""
    if format in _IN_THREES:  # three in four bytes; one more takes two, two more take four
        return values // 3 * 4 + (0, 2, 4)[values % 3]
    return -(-values * _BITS[format] // 8)


def _held(size: int, format: int) -> int:
    """Samples in a number of bytes."""
    if format in _IN_THREES:
        return size // 4 * 3 + (size % 4 >= 2)
    return size * 8 // _BITS[format]


def _unpack(data: bytes, format: int, count: int) -> Digital:
    if format in _WORDS:
        words = np.frombuffer(data, _WORDS[format], count).astype(np.int64)
        return (words - _SHIFT.get(format, 0)).astype(np.int32)
    raw = np.frombuffer(data, np.uint8)
    if format == 24:
        wide = np.zeros((count, 4), dtype=np.uint8)
        wide[:, 1:] = raw[: 3 * count].reshape(count, 3)
        return wide.view("<i4")[:, 0] >> 8
    if format == 8:
        return raw[:count].view(np.int8).astype(np.int32)
    if format in _IN_THREES:
        return _in_threes(raw, format)[:count]
    # 212: two samples of 12 bits in three bytes, their upper halves together in the middle one.
    padded = np.pad(raw, (0, -len(raw) % 3)).reshape(-1, 3).astype(np.int32)
    pairs = np.empty((len(padded), 2), dtype=np.int32)
    pairs[:, 0] = padded[:, 0] | (padded[:, 1] & 0x0F) << 8
    pairs[:, 1] = padded[:, 2] | (padded[:, 1] & 0xF0) << 4
    pairs[pairs > 2047] -= 4096
    return pairs.reshape(-1)[:count]


def _in_threes(raw: npt.NDArray[np.uint8], format: int) -> Digital:
    """Samples of 10 bits, three in four bytes."""
    words = np.pad(raw, (0, -len(raw) % 4)).view("<u4")
    found = np.empty((len(words), 3), dtype=np.int32)
    if format == 311:
        found[:] = words[:, None] >> np.array([0, 10, 20], dtype=np.uint32) & 0x3FF
    else:  # two of them above the lowest bit of a half each, the third in the highest five of both
        found[:, 0], found[:, 1] = words >> 1 & 0x3FF, words >> 17 & 0x3FF
        found[:, 2] = (words >> 11 & 0x1F) | (words >> 27 & 0x1F) << 5
    found[found > 511] -= 1024
    return found.reshape(-1)


def _physical(digital: Digital, signal: WfdbSignal) -> npt.NDArray[np.float64]:
    total = int(digital.sum(dtype=np.int64)) & 0xFFFF
    if signal.checksum is not None and total != signal.checksum & 0xFFFF:
        raise DataError(
            f"the checksum of {signal.name} does not fit its samples",
            where=str(signal.file),
            why=f"they add up to {total}, the header says {signal.checksum & 0xFFFF}",
            fix="fetch the record again",
        )
    values = (digital.astype(np.float64) - signal.baseline) / signal.gain
    missing = 31 if signal.format == 8 else _BITS[signal.format] - 1  # of differences any sum is a sample
    values[digital == -(1 << missing)] = np.nan  # how a missing sample is written
    return values


def read_annotations(path: Path, samples: int) -> tuple[Annotations, Counter[str]]:
    """Annotations in the MIT format, and what was passed over, counted.

    Args:
        path: The file, such as `100.atr`.
        samples: Length of the record; marks outside it are passed over.

    Raises:
        DataError: The file cannot be read, or ends within an annotation.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}",
            where=str(path),
            fix="check that the file may be read",
        ) from error
    words = np.frombuffer(data, "<u2", len(data) // 2).tolist()
    notes: Counter[str] = Counter()
    places: list[int] = []
    symbols: list[str] = []
    time = place = 0
    while place < len(words) and words[place] != 0:
        code, interval = words[place] >> 10, words[place] & 0x3FF
        place += 1
        if code == _SKIP:
            if place + 2 > len(words):
                raise DataError(
                    "it ends within an annotation", where=str(path), fix="download the annotations again"
                )
            skip = words[place] << 16 | words[place + 1]
            time += skip - (1 << 32) if skip >= 1 << 31 else skip
            place += 2
        elif code == _AUX:
            place += -(-interval // 2)
        elif code not in (_NUM, _SUB, _CHN):
            time += interval
            if code not in _SYMBOLS:
                notes[f"annotations of {path.name} have an unknown code and were left out"] += 1
            elif not 0 <= time < samples:
                notes[f"annotations of {path.name} lie outside the record and were left out"] += 1
            else:
                places.append(time)
                symbols.append(_SYMBOLS[code])
    order = np.argsort(places, kind="stable")
    return Annotations(np.array(places, dtype=np.int64)[order], [symbols[n] for n in order]), notes
