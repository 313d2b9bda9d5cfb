"""Random numbers with an address: pure functions of (key, id, draw), never consumed from a stream.

A number depends on nothing but its address, so a sample gets the same numbers in any batch, in any
order, from any number of workers and after any restart. NumPy only.

The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014) used as a counter-based hash: every id starts a stream of its own at a hashed state, and
draw `d` is the stream's output number `d`.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ID_STRIDE = np.uint64(0xD1342543DE82EF95)
_TO_UNIT = 2.0**-53
_PIECE = 1 << 18


def key(*parts: int | str) -> np.uint64:
    """A stable 64-bit key of its parts, equal in every process and on every machine.

    Args:
        *parts: Integers and texts; `key(1, "a")` and `key("1", "a")` differ.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        text = f"{type(part).__name__}:{part}".encode()
        digest.update(len(text).to_bytes(8, "little") + text)
    return np.uint64(int.from_bytes(digest.digest(), "little"))


def bits(key: np.uint64, ids: npt.ArrayLike, draws: int = 1) -> npt.NDArray[np.uint64]:
    """Random 64-bit words `[n, draws]` for ids `[n]`."""
    with np.errstate(over="ignore"):
        rows = np.asarray(ids, dtype=np.int64).astype(np.uint64)
        states = _mix(_mix(rows * _ID_STRIDE + np.uint64(key)) ^ np.uint64(key))
        steps = np.arange(1, draws + 1, dtype=np.uint64) * _GOLDEN
        return _mix(states[:, None] + steps[None, :])


def uniform(key: np.uint64, ids: npt.ArrayLike, draws: int = 1) -> npt.NDArray[np.float64]:
    """Random numbers in [0, 1), float64 `[n, draws]` for ids `[n]`, with 53 random bits each."""
    return (bits(key, ids, draws) >> np.uint64(11)).astype(np.float64) * _TO_UNIT


def integers(key: np.uint64, ids: npt.ArrayLike, high: int, draws: int = 1) -> npt.NDArray[np.int64]:
    """Random integers in [0, high), int64 `[n, draws]` for ids `[n]`.

    Args:
        key: Address of the purpose, from `key`.
        ids: Row numbers `[n]`.
        high: Exclusive bound, at most 2**31; the bias towards any value is below high / 2**53.
        draws: Numbers per id.
    """
    if not 1 <= high <= 2**31:
        raise ValueError(f"high must be from 1 to 2**31, it is {high}")
    return (uniform(key, ids, draws) * high).astype(np.int64)


def words(key: np.uint64, ids: npt.ArrayLike) -> npt.NDArray[np.uint64]:
    """One random 64-bit word per id `[n]`: the first draw of `bits`, in little memory."""
    rows = np.asarray(ids, dtype=np.int64)
    found = np.empty(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), _PIECE):
        found[start : start + _PIECE] = bits(key, rows[start : start + _PIECE])[:, 0]
    return found


def order(key: np.uint64, ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Positions `[n]` that sort ids by their random word: a shuffle in which ids keep their rank.

    Adding or removing other ids never changes which of two ids comes first.
    """
    return np.argsort(words(key, ids), kind="stable").astype(np.int64, copy=False)


def _mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64: a bijection of 64-bit words in which every bit moves every other."""
    words = (words ^ (words >> np.uint64(30))) * _MIX_1
    words = (words ^ (words >> np.uint64(27))) * _MIX_2
    return words ^ (words >> np.uint64(31))
