"""Errors that name a key path are given the line of the recipe that it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainwright.errors import ErrorList, TrainwrightError
from trainwright.recipe.loading import LoadedRecipe
from trainwright.recipe.nodes import OVERRIDE


@contextmanager
def located(loaded: LoadedRecipe) -> Iterator[None]:
    """Within it, an error at `data.source.root` becomes one at `recipe.yaml:3: data.source.root`.

    What was found out late, from data or a model, is so told like what the recipe's own checks find.
    """
    try:
        yield
    except TrainwrightError as error:
        for each in error.errors if isinstance(error, ErrorList) else [error]:
            each.why = loaded.missing.get(each.where, each.why)
            each.where = where_in(loaded, each.where)
        raise


def where_in(loaded: LoadedRecipe, where: str) -> str:
    """The place of a key path with its line, of the nearest section above where it is a default.

    Args:
        loaded: The recipe.
        where: A key path, perhaps with words behind it; anything else is given back as it is.
    """
    path = where.split(" ")[0].rstrip(":")
    parts = path.split(".")
    if parts[0] not in loaded.resolved:
        return where
    for end in range(len(parts), 0, -1):
        origin = loaded.origins.get(".".join(parts[:end]))
        if origin is not None and origin.line is not None:
            return f"{origin}: {where}"
        if origin == OVERRIDE:
            return f"{origin} {where}"
    return where
