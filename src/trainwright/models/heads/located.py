"""Key paths of what is wrong with a head, which knows only the names of its own parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainwright.errors import ErrorList, TrainwrightError


@contextmanager
def below(where: str) -> Iterator[None]:
    """Within it, an error at `.pixels`, or at no place, becomes one at `model.heads.mask.pixels`.

    Args:
        where: Key path of the head, or `.first_stage` where it belongs to that parameter of another head.
    """
    try:
        yield
    except TrainwrightError as error:
        for each in error.errors if isinstance(error, ErrorList) else [error]:
            if not each.where or (each.where.startswith(".") and not each.where.startswith(where)):
                each.where = where + each.where
        raise
