"""Who answers for a target: a head of the recipe, and where its methods are written."""

from __future__ import annotations

import inspect
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

METHODS = ("loss", "predict", "compare", "judge", "forward")
"""Methods of a head that the tool calls."""

_NOTE = "_trainwright_author"


@dataclass(frozen=True)
class Author:
    """A component of the recipe that answers for a target.

    Attributes:
        name: What the recipe calls it, with its kind: `head door_head:CornerHead`.
        where: Its key path.
        type: Its class.
    """

    name: str
    where: str
    type: type[nn.Module]

    def method(self, name: str) -> str:
        """A method in words, with file and line where it is a user's own: `loss` of head x:Y (x.py:12)."""
        place = self.place(name)
        return f"`{name}` of {self.name}" + (f" ({place})" if place else "")

    def place(self, method: str) -> str:
        """`file:line` of a method of a user's class, of the class where it has none; else empty."""
        if ":" not in self.name:
            return ""
        return source_place(getattr(self.type, method, None), self.type)

    def keeper(self) -> str:
        """The method that decides what scoring keeps of an answer."""
        for name in ("judge", "compare"):
            found = getattr(self.type, name, None)
            # Those that `Head` brings ask the others.
            if found is not None and found.__module__ != "trainwright.models.heads.base":
                return name
        return self.teller()

    def teller(self) -> str:
        """The method that gives the plain answer."""
        return "predict" if hasattr(self.type, "predict") else "forward"


@dataclass(frozen=True)
class Failure:
    """An exception that a component's own code has raised.

    Attributes:
        author: The component.
        method: Which of its methods was called.
        place: `file:line` of the innermost line of that code that was at work.
    """

    author: Author
    method: str
    place: str

    def told(self) -> str:
        """In words."""
        return f"`{self.method}` of {self.author.name} fails" + (f" at {self.place}" if self.place else "")


def note_author(module: nn.Module, author: Author) -> None:
    """Remembers who a module is; copies of the module know it, too."""
    module.__dict__[_NOTE] = author


def author_of(module: nn.Module) -> Author | None:
    """Who a module is; None where it was not built for a target."""
    found = module.__dict__.get(_NOTE)
    return found if isinstance(found, Author) else None


def failure_of(error: BaseException) -> Failure | None:
    """Whose method an exception has come out of, by its traceback; None where nobody's of a user."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return None  # which any line may be the first to notice
    found: Failure | None = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        module, method = frame.f_locals.get("self"), frame.f_code.co_name
        author = author_of(module) if isinstance(module, nn.Module) else None
        if author is not None and method in METHODS:
            found = Failure(author, method, "")
        if found is not None and frame.f_code.co_filename == _source_of(found.author):
            found = Failure(found.author, found.method, f"{_short(frame.f_code.co_filename)}:{line}")
    return found if found is not None and ":" in found.author.name else None


def source_place(*candidates: Any) -> str:
    """`file:line` of the first of some functions and classes that is written outside torch; else empty."""
    for found in candidates:
        try:
            file, line = inspect.getsourcefile(found), inspect.getsourcelines(found)[1]
        except (TypeError, OSError):
            continue
        if file and not _is_of_torch(file):
            return f"{_short(file)}:{line}"
    return ""


def place_within(error: BaseException, file: str | None) -> str:
    """`file:line` of the innermost line of a file that was at work when an error was raised; else empty."""
    frames = [item for item in traceback.extract_tb(error.__traceback__) if file and item.filename == file]
    return f"{_short(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""


def _source_of(author: Author) -> str:
    try:
        return inspect.getsourcefile(author.type) or ""
    except (TypeError, OSError):
        return ""


def _is_of_torch(file: str) -> bool:
    return "torch" in Path(file).parts


def _short(file: str) -> str:
    """A path as a person would type it here."""
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return file
