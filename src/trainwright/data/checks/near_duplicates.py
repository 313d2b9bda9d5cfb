"""Pictures that look like another one: leakage that no digest can see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainwright.data.checks.duplicates import pair
from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.look_alikes import CROWD, LookAlikes, find_look_alikes
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.fixes import Fix

_QUICKLY = 250_000_000  # pairs before a training: a second or less
_AT_MOST = 200_000_000_000  # pairs of a thorough check: some minutes
_LEAST_SIDE = 16  # pixels of a picture that has enough detail to be known again
_MOSTLY = 0.5


def find(subject: Subject) -> Iterator[Finding]:
    """Look-alikes across splits; in a thorough check also within them."""
    for column in subject.of_type("image"):
        if column.is_target or not _comparable(column):
            continue
        yield from _of_column(subject, column)


def _comparable(column: CheckedColumn) -> bool:
    stored = column.stored
    return (
        stored is not None
        and stored.dtype in (np.uint8, np.uint16)
        and stored.ndim == 4
        and min(stored.shape[1:3]) >= _LEAST_SIDE
    )


def _of_column(subject: Subject, column: CheckedColumn) -> Iterator[Finding]:
    assert column.stored is not None
    rows = subject.rows
    held_out = rows[subject.split_of[rows] != _place(subject, "train")]
    left = rows if subject.thorough else held_out
    allowed = _AT_MOST if subject.thorough else _QUICKLY
    compared = subject.sample(left, max(1, allowed // max(1, len(rows))))
    if not len(compared):
        return
    found = find_look_alikes(column.stored, compared, rows, subject.sample(rows, CROWD))
    pairs = _without_equal(column.stored, found)
    splits = subject.split_of
    across = splits[pairs.left] != splits[pairs.right]
    yield from _leaks(subject, pairs, across)
    yield from _repeated(subject, pairs, ~across)
    if len(compared) < len(left):
        yield Finding(
            "near_duplicates",
            Severity.NOTICE,
            len(compared),
            f"pictures, of {len(left)}, were compared with all others",
            why="more would take too long" if subject.thorough else "more would keep the training waiting",
            fix="" if subject.thorough else "`trainwright data check` compares more",
        )
    if found.plain:
        yield Finding(
            "near_duplicates",
            Severity.NOTICE,
            found.plain,
            "pictures are nearly plain and were compared by digest only",
        )


def _place(subject: Subject, split: str) -> int:
    return subject.split_names.index(split) if split in subject.split_names else -1


def _without_equal(stored: np.ndarray, found: LookAlikes) -> LookAlikes:
    """Without pairs whose stored pixels are equal, which `duplicates` tells."""
    # Pictures that are equal have a likeness of 1 but for rounding; only those are looked at.
    unequal = np.ones(len(found.left), dtype=bool)
    for place in np.flatnonzero(found.likeness > 0.9999).tolist():
        unequal[place] = bool((stored[found.left[place]] != stored[found.right[place]]).any())
    return _some(found, unequal)


def _some(found: LookAlikes, keep: npt.NDArray[np.bool_]) -> LookAlikes:
    return LookAlikes(
        found.left[keep], found.right[keep], found.likeness[keep], found.stands_out[keep], found.plain
    )


@dataclass(frozen=True)
class _Pair:
    row: int
    other: int
    likeness: float


def _ranked(subject: Subject, pairs: LookAlikes) -> list[_Pair]:
    """Pairs, the most alike first, the row of the more trusted split in front."""
    found = []
    for place in np.argsort(-pairs.likeness, kind="stable"):
        a, b = int(pairs.left[place]), int(pairs.right[place])
        if (subject.split_of[b], b) < (subject.split_of[a], a):
            a, b = b, a
        found.append(_Pair(a, b, float(pairs.likeness[place])))
    return found


def _leaks(subject: Subject, pairs: LookAlikes, across: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    """Look-alikes in two splits: those that stand out, or all where hardly any does."""
    found = _some(pairs, across)
    clear = len(found.left) > 0 and found.stands_out.mean() >= _MOSTLY
    if clear:
        ranked = _ranked(subject, _some(found, found.stands_out))
        known = {pair.row for pair in ranked}
        yield Finding(
            "near_duplicates",
            Severity.WARNING,  # only a person can say that two pictures are the same
            len(known),
            "held-out pictures have a near copy in another split",
            "resized, recompressed or slightly changed: their score tells what was remembered",
            "look at the pairs; leave the copies out, or divide by groups",
            _examples(subject, ranked),
            [
                Fix("leave_out", subject.names[item.other], f"nearly the same as {subject.names[item.row]}")
                for item in ranked
            ],
        )
    ordinary = _some(found, ~found.stands_out) if clear else found
    if len(ordinary.left):
        ranked = _ranked(subject, ordinary)
        yield Finding(
            "near_duplicates",
            Severity.NOTICE,
            len({item.row for item in ranked}),
            "held-out pictures look like one in another split, but so do many of these pictures",
            "usual for drawings and letters; frames of one film would look so too",
            "if they are frames of films or views of one thing, name it with data.split.group",
            _examples(subject, ranked),
        )


def _repeated(subject: Subject, pairs: LookAlikes, within: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    ranked = _ranked(subject, _some(pairs, within))
    if ranked:
        yield Finding(
            "near_duplicates",
            Severity.NOTICE,
            len({item.other for item in ranked}),
            "pictures look like another one of their split",
            "they count more than once",
            "leave them out where they add nothing",
            _examples(subject, ranked),
        )


def _examples(subject: Subject, ranked: list[_Pair]) -> list[Example]:
    return shown(pair(subject, item.row, item.other, f"likeness {item.likeness:.3f}, ") for item in ranked)
