"""Where the index is: a file in the runs folder, another file, or a PostgreSQL database."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from trainwright.errors import MissingExtra, UserError

VARIABLE = "TRAINWRIGHT_INDEX"
FILE = ".index.sqlite"  # hidden: `runs/*` is to mean runs
NONE = "none"
FILE_SCHEME = "sqlite:///"
SERVERS = ("postgresql://", "postgres://", "postgresql+psycopg://")


def index_place(runs_dir: str | os.PathLike[str]) -> str | None:
    """The file or URL of the index of a runs folder.

    The environment variable `TRAINWRIGHT_INDEX` says it, which the option `--index` sets for a command and
    all that it starts: a file, `sqlite:///FILE`, `postgresql://...`, or `none`. Else a file in the folder.

    Args:
        runs_dir: The folder.

    Returns:
        None where there is to be no index.

    Raises:
        UserError: It is another address.
        MissingExtra: The driver of PostgreSQL is not installed.
    """
    place = os.environ.get(VARIABLE) or str(Path(runs_dir) / FILE)
    if place.lower() == NONE:
        return None
    if "://" in place and not place.startswith((*SERVERS, FILE_SCHEME)):
        raise UserError(
            f"{place!r} is no address of an index",
            where="--index",
            fix="give a file, sqlite:///FILE, postgresql://..., or none",
        )
    if place.startswith(SERVERS) and importlib.util.find_spec("psycopg") is None:
        raise MissingExtra("psycopg", "postgres")
    return place
