"""Pictures that show the same, though no byte of them is equal: resized, recompressed, slightly changed.

A picture is reduced to 8 x 8 gray cells, whose correlation with another picture's is one product of
matrices over all pairs; pairs that pass are confirmed at 16 x 16 cells. Both bounds come from
`benchmarks/leakage.py`: copies at JPEG quality 75, resized by 12 % and back, have at least 0.992 and 0.959.

Among drawings on an empty ground many pictures correlate by chance. A pair therefore is said to stand out
when its distance (1 - correlation) is below a fifth of the distance to the fifth nearest of a crowd of
pictures from the same data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

COARSE, FINE = 8, 16  # cells a side
COARSE_BOUND, FINE_BOUND = 0.985, 0.94
STANDS_OUT = 0.2
CROWD, CROWD_RANK = 2000, 5
_CROWD_AT_LEAST = 200  # a handful of pictures tells nothing of what is usual
_PLAIN = 2.0  # stored levels of standard deviation below which noise rules the correlation
_BLOCK = 1 << 23  # pairs that are held at once: 32 MB
_PICTURES = 1 << 24  # bytes of pixels that are reduced at once
_MOST_PAIRS = 1_000_000
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601

Cells = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LookAlikes:
    """Pairs of rows that look alike.

    Attributes:
        left: Row per pair.
        right: Row per pair.
        likeness: Correlation at 16 x 16 cells.
        stands_out: Whether the pair is much nearer than pictures of these data are to each other.
        plain: Number of pictures that are too plain to be compared.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    likeness: npt.NDArray[np.float32]
    stands_out: npt.NDArray[np.bool_]
    plain: int


def cells(pixels: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], side: int) -> tuple[Cells, Cells]:
    """Pictures as unit vectors of `side` x `side` gray cells, mean removed.

    Args:
        pixels: Stored pictures `[N, H, W, C]`, perhaps memory-mapped, and perhaps of 16 bits.
        rows: Rows wanted `[n]`.
        side: Cells in each direction; each is the mean of the area that it covers.

    Returns:
        Vectors float32 `[n, side * side]`, and the standard deviation of the cells in gray levels `[n]`.
    """
    _, height, width, channels = pixels.shape
    down, across = _area_weights(height, side), _area_weights(width, side).T
    weights = _LUMA if channels == 3 else np.full(channels, 1 / channels, dtype=np.float32)
    step = max(1, _PICTURES // (height * width * channels))
    vectors = np.empty((len(rows), side * side), dtype=np.float32)
    for start in range(0, len(rows), step):
        part = pixels[rows[start : start + step]]
        gray = part[..., 0].astype(np.float32) if channels == 1 else part.astype(np.float32) @ weights
        vectors[start : start + step] = (down @ gray @ across).reshape(len(part), -1)
    vectors -= vectors.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(vectors, axis=1)
    vectors /= np.maximum(norms, 1e-6)[:, None]
    return vectors, norms / side


def find_look_alikes(
    pixels: npt.NDArray[np.uint8],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    crowd: npt.NDArray[np.int64],
) -> LookAlikes:
    """Pairs of one row of `left` and another of `right` that look alike; each pair once.

    Args:
        pixels: Stored pictures `[N, H, W, C]`.
        left: Sorted rows `[n]`.
        right: Sorted rows `[m]`.
        crowd: Rows that stand for the data as a whole, at most 2000.
    """
    vectors = {}
    plain: set[int] = set()
    for name, rows in (("left", left), ("right", right)):
        found, spread = cells(pixels, rows, COARSE)
        keep = spread >= _PLAIN
        plain.update(rows[~keep].tolist())
        vectors[name] = (rows[keep], found[keep])
    (left_rows, left_cells), (right_rows, right_cells) = vectors["left"], vectors["right"]
    pairs = [np.zeros((0, 2), dtype=np.int64), *_candidates(left_rows, left_cells, right_rows, right_cells)]
    places = np.concatenate(pairs)[:_MOST_PAIRS]
    a, b = left_rows[places[:, 0]], right_rows[places[:, 1]]
    coarse = np.einsum("ij,ij->i", left_cells[places[:, 0]], right_cells[places[:, 1]])
    fine = _confirm(pixels, a, b)
    keep = fine >= FINE_BOUND
    places, a, b, coarse, fine = places[keep], a[keep], b[keep], coarse[keep], fine[keep]
    if len(crowd) < _CROWD_AT_LEAST:
        return LookAlikes(a, b, fine, np.ones(len(a), dtype=bool), len(plain))
    usual = _crowd_distance(cells(pixels, crowd, COARSE)[0], left_cells, right_cells, places)
    return LookAlikes(a, b, fine, (1 - coarse) < STANDS_OUT * usual, len(plain))


def _candidates(
    left: npt.NDArray[np.int64], left_cells: Cells, right: npt.NDArray[np.int64], right_cells: Cells
) -> Iterator[npt.NDArray[np.int64]]:
    """Places of pairs that pass the coarse bound, block by block."""
    step = max(1, _BLOCK // max(1, len(right)))
    both, also = np.isin(right, left), np.isin(left, right)
    own = np.flatnonzero(also)
    itself = np.searchsorted(right, left)
    found = 0
    for start in range(0, len(left), step):
        block = left_cells[start : start + step] @ right_cells.T
        here = own[(own >= start) & (own < start + step)]
        block[here - start, itself[here]] = 0.0  # a picture is no look-alike of itself
        # Most pictures are like no other: their rows are passed over after one look.
        some = np.flatnonzero(block.max(axis=1) >= COARSE_BOUND)
        places = np.argwhere(block[some] >= COARSE_BOUND)
        places[:, 0] = some[places[:, 0]]
        rows, others = left[places[:, 0] + start], right[places[:, 1]]
        # A pair within both sides is met twice: in the order of its rows, and in the other.
        places = places[(rows < others) | ~both[places[:, 1]] | ~also[places[:, 0] + start]]
        places[:, 0] += start
        found += len(places)
        yield places
        if found > _MOST_PAIRS:
            return


def _confirm(
    pixels: npt.NDArray[np.uint8], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Correlation of pairs at the finer resolution."""
    rows = np.unique(np.concatenate([left, right]))
    vectors, _ = cells(pixels, rows, FINE)
    fine = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), 1 << 16):
        part = slice(start, start + (1 << 16))
        a, b = np.searchsorted(rows, left[part]), np.searchsorted(rows, right[part])
        fine[part] = np.einsum("ij,ij->i", vectors[a], vectors[b])
    return fine


def _crowd_distance(
    crowd: Cells, left_cells: Cells, right_cells: Cells, places: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Distance of each pair to the fifth nearest of the crowd, the smaller of its two members'."""
    nearest = []
    for side, vectors in enumerate((left_cells, right_cells)):
        members, back = np.unique(places[:, side], return_inverse=True)
        rank = min(CROWD_RANK, len(crowd))
        far = np.ones(len(members), dtype=np.float32)
        for start in range(0, len(members), 1024):
            alike = vectors[members[start : start + 1024]] @ crowd.T
            far[start : start + 1024] = 1 - np.partition(alike, -rank, axis=1)[:, -rank]
        nearest.append(far[back])
    return np.minimum(*nearest)


def _area_weights(length: int, cells: int) -> Cells:
    """Weights `[cells, length]` by which pixels make up the mean of each cell."""
    edges = np.linspace(0, length, cells + 1)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
