"""Which rows are for training, validation and testing: a pure function of the recipe and the labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trainwright.data import addressed
from trainwright.data.counting import class_counts, occurrences
from trainwright.data.types import Values
from trainwright.errors import DataError, RecipeError

if TYPE_CHECKING:
    from trainwright.recipe.schema import Split


class NoSplit(RecipeError):
    """Nobody says which rows are for what."""


class EmptySplit(DataError):
    """A split has no row."""


Rows = npt.NDArray[np.int64]
Labels = npt.NDArray[Any]  # whole numbers
NAMES = ("train", "val", "test")
_FEW = 16  # classes of which each is looked for among all rows


def choose(
    count: int,
    split: Split | None,
    given: Mapping[str, Rows] | None,
    labels: Labels | None,
    *,
    fitted: bool = False,
    groups: Values | None = None,
) -> dict[str, Rows]:
    """Rows of every split, each sorted.

    Args:
        count: Number of rows of the source.
        split: The recipe's fractions, None for the source's own splits.
        given: The source's own splits, None where it has none.
        labels: Class id of every row `[count]`, to keep proportions; -1 where unknown; None for
            no stratification.
        fitted: The data are for a trained model: there need be no training split, and without any
            word on splits all rows are for testing.
        groups: Group of every row; rows of one group stay together. Classes then are not kept in
            proportion.

    Raises:
        RecipeError: Neither side says how to split, or both do.
        DataError: A split would be empty.
    """
    if given is None and split is None and fitted:
        chosen = {"test": np.arange(count)}
    elif given is None:
        if split is None:
            raise NoSplit(
                "the source has no splits of its own, and the recipe gives none",
                where="data.split",
                fix="add for example data.split: {val: 0.1, test: 0.1}, or {} to train on all rows",
            )
        chosen = _divide(np.arange(count), split, _used(labels, split), groups)
    elif split is None:
        chosen = {name: np.sort(np.asarray(rows, dtype=np.int64)) for name, rows in given.items()}
    else:
        chosen = _carve(given, split, _used(labels, split), groups)
    check_not_empty(chosen, fitted=fitted)
    return chosen


def by_fractions(
    rows: Rows, fractions: Mapping[str, float], seed: int, labels: Labels | None = None
) -> dict[str, Rows]:
    """Divides rows by addressed shuffle; with labels, every class is divided in the same proportions.

    Counts follow the largest-remainder rule, in total and then per class, and a class with any row
    has one for training.

    Args:
        rows: Row numbers `[n]`.
        fractions: Share per split; what they leave over is in no split.
        seed: Seed of the shuffle.
        labels: Class id by row number.
    """
    groups = np.zeros(len(rows), dtype=np.int8) if labels is None else labels[rows]
    groups -= groups.min(initial=0)
    if groups.size and groups.max() < np.iinfo(np.int16).max:
        groups = groups.astype(np.int16, copy=False)  # sorted in a tenth of the time
    sizes = occurrences(groups)
    names = [*fractions, ""]
    shares = np.array([*fractions.values(), round(max(0.0, 1.0 - sum(fractions.values())), 9)])
    present = np.flatnonzero(sizes)
    seats = apportion(sizes[present], shares / shares.sum())
    numbers = _split_numbers(
        addressed.key("split", seed), rows, groups, dict(zip(present, seats, strict=True))
    )
    return _parted(rows, numbers, [name if name and fractions[name] > 0 else "" for name in names])


def _parted(rows: Rows, numbers: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> dict[str, Rows]:
    """Sorted rows by the name of their split's number; a number without a name is in no split."""
    if (rows[1:] < rows[:-1]).any():
        order = np.argsort(rows, kind="stable")
        rows, numbers = rows[order], numbers[order]
    return {name: rows[numbers == number] for number, name in enumerate(names) if name}


def _split_numbers(
    key: np.uint64, rows: Rows, groups: Labels, seats: Mapping[int, npt.NDArray[np.int64]]
) -> npt.NDArray[np.int8]:
    """Number of the split of every row.

    Args:
        key: Address of the rows' random words.
        rows: Row numbers `[n]`.
        groups: Class of every row.
        seats: Class -> rows for every split `[S]`, in the order of the classes.
    """
    numbers = np.empty(len(rows), dtype=np.int8)
    for members, row_seats in zip(_by_class(groups, list(seats)), seats.values(), strict=True):
        # The words of one class at a time: those of all rows are as large as the rows.
        numbers[members] = _seated(addressed.words(key, rows[members]), row_seats)
    return numbers


def _by_class(groups: Labels, classes: Sequence[int]) -> Iterator[npt.NDArray[np.int64] | slice]:
    """Places of the members of each class in turn; of few classes without an order of all."""
    if len(classes) == 1:
        yield slice(None)
        return
    if len(classes) <= _FEW:
        yield from (np.flatnonzero(groups == number) for number in classes)
        return
    by_class = np.argsort(groups, kind="stable")
    yield from np.split(by_class, np.flatnonzero(np.diff(groups[by_class])) + 1)


def _seated(words: npt.NDArray[np.uint64], seats: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Number of the split of each row of a class: in the order of their words they take the seats."""
    limits = np.cumsum(seats)[:-1]
    inner = limits[(limits > 0) & (limits < len(words))]
    # The words at the limits are found in a tenth of the time that sorting takes.
    found = np.partition(words, inner)[inner] if len(inner) else inner
    numbers = np.full(len(words), np.count_nonzero(limits <= 0), dtype=np.int8)
    for word in found:
        numbers += words >= word
    if (np.bincount(numbers, minlength=len(seats)) == seats).all():
        return numbers
    # Two words are equal, of which one is on each side of a limit: the earlier row comes first.
    numbers[np.argsort(words, kind="stable")] = np.repeat(np.arange(len(seats)), seats)
    return numbers


def by_groups(rows: Rows, fractions: Mapping[str, float], seed: int, groups: Values) -> dict[str, Rows]:
    """Divides rows so that those of one group stay together.

    Groups are taken in an order that follows from the seed and their names; each goes to the split that
    lacks the most rows.

    Args:
        rows: Row numbers `[n]`.
        fractions: Share per split; what they leave over is in no split.
        seed: Address of the order.
        groups: Group by row number.
    """
    members: dict[str, list[int]] = {}
    for row in rows.tolist():
        members.setdefault(str(groups[row]), []).append(row)
    lacking = {name: share * len(rows) for name, share in fractions.items() if share > 0}
    left = round(1.0 - sum(fractions.values()), 9)
    if left > 0:
        lacking[""] = left * len(rows)
    chosen: dict[str, list[int]] = {name: [] for name in lacking}
    for group in sorted(members, key=lambda group: int(addressed.key("split", seed, group))):
        split = max(lacking, key=lambda name: lacking[name])
        chosen[split] += members[group]
        lacking[split] -= len(members[group])
    return {name: np.array(sorted(found), dtype=np.int64) for name, found in chosen.items() if name}


def apportion(sizes: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Seats `[classes, splits]`: every class's size divided by `shares`, totals exact.

    Each cell gets its quota rounded down; what is left of the splits' own totals (by largest
    remainder) goes to the cells with the largest remainders, the first split first where they tie.

    Args:
        sizes: Rows per class `[classes]`.
        shares: Share per split `[splits]`, summing to 1; the first is training.
    """
    quotas = sizes[:, None] * shares[None, :]
    seats = np.floor(quotas + 1e-9).astype(np.int64)
    open_rows = sizes - seats.sum(axis=1)
    open_splits = _largest_remainder(int(sizes.sum()), shares) - seats.sum(axis=0)
    by_remainder = np.argsort(-(quotas - seats).ravel().round(9), kind="stable")
    while open_rows.any():
        for cell in by_remainder:
            row, column = divmod(int(cell), len(shares))
            if open_rows[row] > 0 and open_splits[column] > 0 and shares[column] > 0:
                seats[row, column] += 1
                open_rows[row] -= 1
                open_splits[column] -= 1
    for untrained in np.flatnonzero((seats[:, 0] == 0) & (sizes > 0) & (shares[0] > 0)):
        seats[untrained, seats[untrained].argmax()] -= 1
        seats[untrained, 0] += 1
    return seats


def check_not_empty(chosen: Mapping[str, Rows], *, fitted: bool = False) -> None:
    """Raises `DataError` where a split has no row, or a training split is needed and there is none."""
    if "train" not in chosen and not fitted:
        raise DataError(
            "there is no training split",
            where="data.split",
            why=f"found {', '.join(chosen)}",
            fix="name one of them train, or give data.split",
        )
    for name, rows in chosen.items():
        if not len(rows):
            raise EmptySplit(
                f"the {name} split is empty",
                where=f"data.split.{name}",
                why="its fraction of the rows rounds to nothing, or none of its samples can be used",
                fix=_fill(name, sum(map(len, chosen.values()))),
            )


def smallest_share(rows: int) -> float:
    """The smallest fraction, in hundredths, that is a row of as many."""
    return math.ceil(100 / rows) / 100


def _fill(name: str, rows: int) -> str:
    """How a split gets a row, or is done without."""
    if name == "train":
        return "give more data, or smaller fractions to the other splits"
    aside = "write `data.split: {}` to train on all rows"
    if rows < 2:
        return f"give more data, or {aside}"
    return f"give more data, set data.split.{name} to {smallest_share(rows):g} or more, or {aside}"


def check_classes(
    target: str,
    classes: tuple[str, ...],
    ids: Labels,
    splits: Mapping[str, Rows],
) -> None:
    """Checks that a category target can be learned from the training split.

    Args:
        target: Name of the target, for messages.
        classes: Names of the classes.
        ids: Class id by row `[N]`.
        splits: Rows of every split.

    Raises:
        DataError: There is one class only, or a class has no training sample.
    """
    if len(classes) < 2:
        raise DataError(
            f"target {target} has one class only: {', '.join(classes) or 'none'}",
            where=f"data.targets.{target}",
            fix="give samples of at least two classes",
        )
    counts = class_counts(ids, splits["train"], len(classes))
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise DataError(
            f"{len(missing)} classes of target {target} have no training sample: {', '.join(missing[:10])}",
            where=f"data.targets.{target}",
            fix="add samples of these classes to the training split, or remove the classes",
        )


def _fractions(split: Split) -> dict[str, float]:
    rest = round(1.0 - split.val - split.test, 9)
    train = rest if split.train is None else split.train
    if train <= 0 or train + split.val + split.test > 1 + 1e-9:
        raise RecipeError(
            f"fractions train {train:g}, val {split.val:g} and test {split.test:g} do not fit in 1",
            where="data.split",
            fix="training needs a share, and the sum may be at most 1",
        )
    return {"train": train, "val": split.val, "test": split.test}


def _divide(rows: Rows, split: Split, labels: Labels | None, groups: Values | None) -> dict[str, Rows]:
    if groups is None:
        return by_fractions(rows, _fractions(split), split.seed, labels)
    return by_groups(rows, _fractions(split), split.seed, groups)


def _carve(
    given: Mapping[str, Rows], split: Split, labels: Labels | None, groups: Values | None
) -> dict[str, Rows]:
    """Takes the splits that the source lacks out of its training rows."""
    fractions = _fractions(split)
    for name in ("val", "test"):
        if fractions[name] > 0 and name in given:
            raise RecipeError(
                f"the source already has a {name} split of {len(given[name])} rows",
                where=f"data.split.{name}",
                why="a fraction of the training rows would be a second one",
                fix=f"remove data.split.{name}",
            )
    if "train" not in given:
        return {name: np.sort(rows) for name, rows in given.items()}
    carved = _divide(np.asarray(given["train"], dtype=np.int64), split, labels, groups)
    carved |= {name: np.sort(rows) for name, rows in given.items() if name != "train"}
    return {name: carved[name] for name in sorted(carved, key=_rank)}


def _rank(name: str) -> int:
    return NAMES.index(name) if name in NAMES else len(NAMES)


def _used(labels: Labels | None, split: Split) -> npt.NDArray[np.int64] | None:
    return labels if split.stratify else None


def _largest_remainder(total: int, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    quotas = total * shares
    seats = np.floor(quotas + 1e-9).astype(np.int64)
    rest = np.argsort(-(quotas - seats).round(9), kind="stable")[: total - int(seats.sum())]
    seats[rest] += 1
    return seats
