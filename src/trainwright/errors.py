"""Errors for people: what is wrong, where, why, and how to mend it.

Every error that a user can cause is a `TrainwrightError`; the command line prints it without a
traceback and leaves with `exit_code`. Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class TrainwrightError(Exception):
    """An error with its place, reason and mend.

    Args:
        what: One sentence that says what is wrong.
        where: `file:line`, a key path such as `train.optimizer.lr`, or a file's name.
        why: The reason, when it is not plain from `what`.
        fix: What the user should do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.why, self.fix = what, where, why, fix

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class UserError(TrainwrightError):
    """Something in what the user gave has to change before anything can run."""

    exit_code = 2


class RecipeError(UserError):
    """The recipe, or an override of it, is wrong."""


class DataError(UserError):
    """The data cannot be read as the recipe says."""


class ModelError(UserError):
    """The model cannot be built, loaded or fitted to the data."""


class RunError(UserError):
    """A run cannot be found, started or continued as asked."""


class MissingExtra(UserError):
    """An optional package is needed.

    Args:
        package: The import name that is missing.
        extra: The extra of this project that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed", fix=f"pip install 'trainwright[{extra}]'")


class StorageError(TrainwrightError):
    """A file of a run cannot be written. What was there before is still whole.

    Args:
        path: The file that could not be written.
        cause: The operating system's answer.
    """

    def __init__(self, path: str | os.PathLike[str], cause: OSError) -> None:
        full = cause.errno in _FULL
        reason = cause.strerror or str(cause)
        super().__init__(
            "the disk is full" if full else "cannot write the file",
            where=os.fspath(path),
            why=f"{reason} (errno {cause.errno})"
            + ("; the file's previous version is untouched" if os.path.lexists(path) else ""),
            fix=(
                "free some space, then resume the run"
                if full
                else "check that the directory exists and may be written"
            ),
        )
        self.full = full


class ErrorList(UserError):
    """Several errors that were found together, so that they can be mended together."""

    def __init__(self, errors: list[TrainwrightError]) -> None:
        super().__init__(f"{len(errors)} problems found")
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: list[TrainwrightError]) -> None:
    """Raises nothing, the one error, or an `ErrorList` of them."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ErrorList(errors)


def closest(name: str, options: Iterable[str]) -> str | None:
    """The option that `name` was most likely meant to be, or None.

    Case and the signs between words count least: `AdamW` is `adamw`, not `adam`.
    """
    import difflib  # takes a while, and seldom is anything misspelt

    listed = list(options)
    same = next((option for option in listed if letters_of(option) == letters_of(name) != ""), None)
    found = [same] if same else difflib.get_close_matches(name, listed, n=1, cutoff=0.6)
    if not found:
        by_letters = {option.lower(): option for option in reversed(listed)}
        found = [by_letters[word] for word in difflib.get_close_matches(name.lower(), by_letters, n=1)]
    return found[0] if found else None


def letters_of(name: str) -> str:
    """Letters and digits of a name alone, in lower case."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def closest_sibling(path: Path) -> Path | None:
    """The file or folder beside a missing one that was most likely meant, or None."""
    if not path.parent.is_dir():
        return None
    found = closest(path.name, (item.name for item in path.parent.iterdir()))
    return path.parent / found if found else None
