"""A run's own source at another place: whether it finds there what the run's columns need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import registry
from trainwright.data.objects import OBJECT_TYPES
from trainwright.errors import DataError, UserError

if TYPE_CHECKING:
    from trainwright.data.types import Source
    from trainwright.recipe.schema import Column, Data

_PLACES = ("root", "path", "annotations")
_BESIDE = ("images", "masks")  # where the rest lies, for sources that are named by their annotations


@dataclass(frozen=True)
class Place:
    """Where a recipe says that its data lie.

    Attributes:
        key: Key path of the source.
        source: Its name and parameters.
        parameter: The one that names the place.
    """

    key: str
    source: Mapping[str, Any]
    parameter: str

    @classmethod
    def of(cls, data: Data) -> Place | None:
        """The place of a recipe's source, or of the one that it is made of; None where there is none."""
        key, source = "data.source", data.source
        if isinstance(source.get("of"), Mapping):
            key, source = f"{key}.of", source["of"]
        parameter = next((name for name in _PLACES if name in source), None)
        return None if parameter is None else cls(key, source, parameter)

    @property
    def given(self) -> bool:
        """Whether the run was trained on data at a place, and not on data in memory."""
        return self.source[self.parameter] is not None


def pointed_at(data: Data, place: Place, path: Path, images: str | None = None) -> dict[str, Any]:
    """Overrides with which a run's own source reads the data at a path.

    Args:
        data: Of the run's recipe.
        place: Of its source.
        path: An existing file, folder or archive.
        images: Where the user says that the pictures lie.

    Raises:
        UserError: The source cannot be built there, or lacks what the run's columns need.
    """
    given = {place.parameter: str(path.absolute())}
    if place.source["name"] == "folder":
        given["splits"] = "ignore"
    if path.is_dir() and place.parameter == "annotations":
        raise DataError("it reads a file of annotations", where=str(path), fix="name the file")
    if images is not None:
        given["images"] = images
    beside = (
        [] if place.parameter == "root" else [n for n in _BESIDE if place.source.get(n) and n not in given]
    )
    if not beside:
        _refuse_unfit(data, place, {**place.source, **given})
    else:
        given |= _with_pictures(data, place, given, beside)
    return {f"{place.key}.{name}": value for name, value in given.items()}


def _with_pictures(data: Data, place: Place, given: dict[str, str], beside: list[str]) -> dict[str, Any]:
    """Where the pictures of another file are: near it, or else where those of the run are."""
    near: dict[str, Any] = dict.fromkeys(beside)
    try:
        _refuse_unfit(data, place, {**place.source, **given, **near})
        return near
    except UserError:
        if any(isinstance(place.source[name], Mapping) for name in beside):
            raise  # one folder a split: nobody knows which
    _refuse_unfit(data, place, {**place.source, **given})
    return {}


def _refuse_unfit(data: Data, place: Place, source: dict[str, Any]) -> None:
    """Builds the source. Raises UserError where it lacks what a column of the run needs."""
    from trainwright.data.columns import column_of, key_path

    built: Source = registry.build("source", source)
    if place.key != "data.source":
        _refuse_without_objects(built)
        return
    for is_target, columns in ((False, data.inputs), (True, data.targets)):
        for name, column in columns.items():
            where = key_path(name, is_target=is_target)
            for part in (column.model_extra or {}).get("columns") or (column.column or name,):
                found = column_of(built, part, where)
                if column.type in OBJECT_TYPES and built.columns[found] == "objects":
                    _refuse_without_objects(built)
                    lacking = lacking_of_objects(column, getattr(built, "kind", column.type))
                    if lacking:
                        raise DataError(
                            f"it finds no objects with what the run needs: {lacking}", where=where
                        )


def _refuse_without_objects(built: Source) -> None:
    """Raises DataError where no picture has an object, as where labels of another format are passed by."""
    if "objects" not in built.columns or not any(len(item) for item in built.column("objects")):
        raise DataError("it finds no objects", where="data.source")


def lacking_of_objects(column: Column, kind: str) -> str:
    """What a column of objects needs and objects of a kind do not have; nothing where all is there.

    Args:
        column: Of the run's recipe.
        kind: Column type that makes most of the objects: boxes, boxes3d, instances or keypoints.
    """
    options = column.model_extra or {}
    if column.type == "boxes3d" and kind != "boxes3d":
        return "boxes in space"
    if column.type == "keypoints" and kind != "keypoints":
        return "keypoints"
    if column.type == "instances" and kind == "boxes" and options.get("outline") != "box":
        return "outlines of the objects (the recipe's `outline: box` would take their boxes)"
    return ""
