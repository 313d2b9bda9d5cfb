"""How undescribed data would be written into a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from trainwright.data.splits import smallest_share
from trainwright.errors import DataError


class WithSplits(Protocol):
    """What of a source is looked at here."""

    def __len__(self) -> int: ...
    def splits(self) -> dict[str, np.ndarray] | None: ...


class Undescribed(DataError):
    """Nothing says what the data show: at best they are pictures of which nothing else is known."""


_ENOUGH = 5  # training samples of which a tenth is rounded to one
_ENOUGH_FOR_TWO = 10  # samples from which on both a val and a test split are set aside


@dataclass
class Guess:
    """What the data seem to be.

    Attributes:
        source: The recipe's `data.source`.
        inputs: Its `data.inputs`.
        targets: Its `data.targets`.
        split: Its `data.split`, None where the data bring all their splits, empty where they are too few
            to be divided.
        size: Number of samples.
        notes: The reasons, and what was left out, in words.
        given_training: Number of samples in the training split that the data bring, None without one.
        aside: Names of files that hold further annotations of the same data, which are not read.
    """

    source: dict[str, Any]
    inputs: dict[str, dict[str, Any]]
    targets: dict[str, dict[str, Any]]
    split: dict[str, Any] | None
    size: int
    notes: list[str] = field(default_factory=list)
    given_training: int | None = None
    aside: list[str] = field(default_factory=list)

    @property
    def training(self) -> int:
        """Number of samples that are left to train on."""
        rows = self.size if self.given_training is None else self.given_training
        return round(rows * (1 - sum((self.split or {}).values())))


def training_rows(source: WithSplits) -> int | None:
    """Number of samples in the training split that the data bring, None without one."""
    given = source.splits()
    return len(given["train"]) if given and "train" in given else None


def missing_split(source: WithSplits) -> dict[str, Any] | None:
    """Fractions for the splits that a source does not bring."""
    given = source.splits()
    if given is None:
        return split_for(len(source))
    if "val" in given:
        return None
    rows = len(given.get("train", ()))
    if rows < 2:
        return {}
    return {"val": 0.1 if rows >= _ENOUGH else smallest_share(rows)}


def split_for(rows: int) -> dict[str, Any]:
    """Fractions for rows without splits, none of which is empty; none at all for a single row."""
    if rows >= _ENOUGH_FOR_TWO:
        return {"val": 0.15, "test": 0.15}
    return {"val": smallest_share(rows)} if rows > 1 else {}


def named_splits(given: dict[str, np.ndarray] | None) -> str:
    """The splits with their sizes, in words."""
    return ", ".join(f"{name} {len(rows)}" for name, rows in (given or {}).items())
