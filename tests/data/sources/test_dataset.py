"""A dataset of the user's own, read item by item."""

from __future__ import annotations

import pytest

from trainwright.data.sources.dataset import materialise
from trainwright.errors import DataError


class Faulty:
    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[int, int]:
        if index == 2:
            raise KeyError("gone")
        return index, 0


def test_an_item_that_cannot_be_read_is_named():
    with pytest.raises(DataError, match=r"item 2 of the dataset cannot be read\n  why: KeyError: 'gone'"):
        materialise(Faulty(), None)
