"""What can be wrong with the words of `predict`, told by the recipes of the runs before a picture is read."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.cli.parsing import UsageError
from trainwright.data.objects import OBJECT_TYPES

if TYPE_CHECKING:
    from trainwright.recipe.schema import Data

MARK = ".predicted"
"""In a folder of pictures that `predict` made: what is in it may be replaced."""


def share(text: str) -> float:
    """A number from 0 to 1. Raises ArgumentTypeError for any other text."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value


def refuse_words(arguments: argparse.Namespace, data: Data, then: Data | None) -> None:
    """Raises UsageError for what the run's answers cannot be made into.

    Args:
        arguments: Of the command line.
        data: The run's data section.
        then: That of the run which is asked about found objects.
    """
    types = {name: item.type for name, item in data.targets.items()}
    objects = [name for name, type in types.items() if type in OBJECT_TYPES]
    if arguments.draw is not None and types and not objects and "mask" not in types.values():
        raise _cannot("--draw", "finds no objects or classes of pixels that could be drawn", types)
    if arguments.pictures is not None and types and not {"mask", "image"} & set(types.values()):
        raise _cannot("--pictures", "gives no answer that is a picture", types)
    if arguments.then is not None and types and not objects:
        raise _cannot("--then", "finds no objects to go on with", types)
    if arguments.min_score is not None and types and not objects:
        raise _cannot("--min-score", "finds no objects that would have a score", types)
    if then is not None and [item.type for item in then.inputs.values()] != ["image"]:
        raise UsageError(
            "the second run does not read one picture",
            where="--then",
            why=", ".join(f"{name} is {item.type}" for name, item in then.inputs.items()),
            fix="train it on the objects cut out (data.source: {name: crops, of: ...})",
        )
    if arguments.format == "coco" and types and len(objects) != 1:
        raise UsageError(
            f"COCO's results hold the objects of one target, and the run has {', '.join(objects) or 'none'}",
            where="--format coco",
            fix="use json, which holds every answer",
        )
    if arguments.ids is not None and arguments.format != "coco":
        raise UsageError("only COCO's results have ids", where="--ids", fix="add --format coco")


def _cannot(option: str, what: str, types: Mapping[str, Any]) -> UsageError:
    targets = ", ".join(f"{name} ({type})" for name, type in types.items())
    return UsageError(f"the run {what}", where=option, why=f"it predicts {targets}", fix="leave it out")


def check_folder(folder: str) -> None:
    """Raises UsageError where a folder of pictures cannot be made, or holds what `predict` did not write."""
    path = Path(folder)
    fix = "give a folder that is new or empty, within one that is there"
    try:
        if path.is_dir():
            if not (path / MARK).exists() and next(path.iterdir(), None) is not None:
                raise UsageError(
                    "the folder holds files that predict did not write",
                    where=folder,
                    why="pictures are named after the inputs, and would replace them",
                    fix="give a folder that is new or empty",
                )
            home = path
        else:
            home = path.parent
        if path.exists() and not path.is_dir():
            why = "it is a file"
        elif not home.is_dir():
            why = f"there is no folder {home}"
        else:
            why = "" if os.access(home, os.W_OK | os.X_OK) else f"{home} may not be written to"
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise UsageError("the folder cannot be made", where=folder, why=why, fix=fix)


def make_folder(folder: str) -> None:
    """Makes the folder of the pictures, which are named after the inputs and would take the place of others.

    Raises:
        UsageError: It cannot be made, or it holds what `predict` did not write.
    """
    check_folder(folder)
    path = Path(folder)
    try:
        path.mkdir(exist_ok=True)
        (path / MARK).touch()
    except OSError as error:
        why = error.strerror or str(error)
        fix = "give a folder that is new or empty, within one that is there"
        raise UsageError("the folder cannot be made", where=folder, why=why, fix=fix) from error
