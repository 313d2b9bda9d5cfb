"""Binary masks as run lengths: COCO's RLE, plain and as text. No loop over pixels.

Runs alternate between 0 and 1 down the columns, the first one of 0. The text form (T.-Y. Lin et al.,
"Microsoft COCO", mask API) stores each run as its difference to the one before the last, in groups of
five bits with a continuation bit, the last group signed, each group plus 48 as a character.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainwright.data.objects import RunLengths

Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]


def from_text(text: str | bytes, size: tuple[int, int]) -> RunLengths:
    """Run lengths from COCO's text form.

    Args:
        text: ASCII.
        size: Height and width.

    Raises:
        ValueError: It is cut off, damaged, or not of that size; says how.
    """
    raw = text.encode("ascii", errors="replace") if isinstance(text, str) else text
    groups = np.frombuffer(raw, dtype=np.uint8).astype(np.int64) - 48
    if len(groups) and (groups.min() < 0 or groups.max() > 63):
        raise ValueError("it holds characters that no run-length text has")
    last = (groups & 0x20) == 0
    if len(groups) and not last[-1]:
        raise ValueError("it is cut off")
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    place = np.arange(len(groups)) - np.repeat(starts, ends - starts + 1)
    if len(place) and place.max() > 9:
        raise ValueError("a run is longer than any picture")
    values = np.add.reduceat((groups & 0x1F) << (5 * place), starts) if len(ends) else groups
    negative = (groups[ends] & 0x10) != 0
    values = np.where(negative, values - (np.int64(1) << (5 * (place[ends] + 1))), values)
    for start in (1, 2):
        values[start::2] = np.cumsum(values[start::2])
    return checked(values, size)


def to_text(runs: RunLengths) -> str:
    """COCO's text form of run lengths."""
    counts = runs.counts.astype(np.int64)
    values = counts.copy()
    values[3:] -= counts[1:-2]
    characters = []
    for value in values.tolist():
        more = True
        while more:
            group, value = value & 0x1F, value >> 5
            more = value != -1 if group & 0x10 else value != 0
            characters.append(chr(48 + (group | 0x20 if more else group)))
    return "".join(characters)


def checked(counts: npt.NDArray[np.int64], size: tuple[int, int]) -> RunLengths:
    """Run lengths that fill a picture of that size. Raises ValueError where they do not."""
    height, width = size
    if len(counts) and counts.min() < 0:
        raise ValueError("a run has a negative length")
    total = int(counts.sum())
    if total != height * width:
        raise ValueError(f"its runs cover {total} pixels of {height * width}")
    return RunLengths(size, counts)


def from_mask(mask: Mask) -> RunLengths:
    """Run lengths of a mask `[H, W]`."""
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0], changes, [len(flat)]])
    counts = np.diff(bounds)
    if len(flat) and flat[0]:
        counts = np.concatenate([[0], counts])
    return RunLengths((mask.shape[0], mask.shape[1]), counts.astype(np.int64))


def to_mask(runs: RunLengths) -> Mask:
    """The mask `[H, W]`."""
    height, width = runs.size
    values = np.arange(len(runs.counts)) % 2 == 1
    return np.repeat(values, runs.counts).reshape(width, height).T


def area(runs: RunLengths) -> int:
    """Pixels inside."""
    return int(runs.counts[1::2].sum())


def bounds(runs: RunLengths) -> Box:
    """Left, top, right, bottom of the pixels inside; zeros where there are none."""
    height = runs.size[0]
    ends = np.cumsum(runs.counts)
    inside = np.flatnonzero(runs.counts[1::2]) * 2 + 1
    if not len(inside):
        return 0.0, 0.0, 0.0, 0.0
    first, last = ends[inside] - runs.counts[inside], ends[inside] - 1
    one_column = first // height == last // height
    top = np.where(one_column, first % height, 0).min()
    bottom = np.where(one_column, last % height, height - 1).max()
    return (
        float((first // height).min()),
        float(top),
        float((last // height).max() + 1),
        float(bottom + 1),
    )
