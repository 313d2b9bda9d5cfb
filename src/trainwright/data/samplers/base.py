"""What samplers are, and what several of them do.

A sampler is a plain class with `order(seed, epoch, rows)`: a pure function, so that a resume, another
number of workers and another number of processes see the same epoch. An epoch has as many places as the
split has rows; which row stands at which place is the sampler's business. Samplers that promise
`each_once` fill the places with a permutation of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from trainwright.data import addressed
from trainwright.errors import RecipeError, closest

Rows = npt.NDArray[np.int64]
WHERE = "data.sampler"


class Sampler(Protocol):
    """The order of one epoch.

    Attributes:
        each_once: Whether every row is visited exactly once per epoch.
    """

    each_once: ClassVar[bool]

    def order(self, seed: int, epoch: int, rows: Rows) -> Rows:
        """The rows of one epoch, in the order in which they are visited.

        Args:
            seed: The run's seed.
            epoch: Number of the epoch, from 0.
            rows: Row numbers of the split, int64 `[N]`; not changed.

        Returns:
            Row numbers `[N]`, whole numbers, all of them from `rows`.
        """
        ...


def shuffled(rows: Rows, *address: int | str) -> Rows:
    """A permutation of `rows`, which is a function of them and the address alone, int64 `[N]`."""
    order = rows.astype(np.int64)
    _generator(*address).shuffle(order)
    return order


def shuffled_narrowly(rows: Rows, *address: int | str) -> npt.NDArray[Any]:
    """As `shuffled`, but int32 where all rows fit: half the memory of millions of rows."""
    fits = not len(rows) or int(rows.max()) <= np.iinfo(np.int32).max
    order: npt.NDArray[Any] = rows.astype(np.int32 if fits else np.int64)
    _generator(*address).shuffle(order)
    return order


def _generator(*address: int | str) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=int(addressed.key("order", *address))))


def category_target(labels: Mapping[str, Rows], target: str | None) -> str:
    """The category target that is meant; the only one when none is named.

    Args:
        labels: Class of every row of the source, int64 `[n]`, by category target.
        target: What the recipe says.

    Raises:
        RecipeError: There is no such target, or it is not plain which one is meant.
    """
    if target is None and len(labels) == 1:
        return next(iter(labels))
    if target is not None and target in labels:
        return target
    if not labels:
        what, fix = "the sampler needs classes, and no target is a category", "use another sampler"
    elif target is None:
        what, fix = "there are several category targets", f"set `target` to one of {', '.join(labels)}"
    else:
        near = closest(target, labels)
        what = f"there is no category target {target!r}"
        fix = f"did you mean {near!r}?" if near else f"use one of {', '.join(labels)}"
    raise RecipeError(what, where=WHERE, fix=fix)


def spread_evenly(groups: Rows, *address: int | str) -> Rows:
    """Positions `[N]` in an order in which every stretch holds each group by its share, as near as it can.

    Item j of a group of n stands at a random place of the j-th of n equal parts of the epoch.

    Args:
        groups: Group of each item, int64 `[N]`; items of one group keep their order.
        *address: Of the random numbers.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    by_group = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(groups), dtype=np.int64)
    rank[by_group] = np.arange(len(groups)) - np.repeat(starts, sizes)
    offset = addressed.uniform(addressed.key("spread", *address), np.arange(len(groups)))[:, 0]
    return np.argsort((rank + offset) / sizes[group], kind="stable").astype(np.int64)
