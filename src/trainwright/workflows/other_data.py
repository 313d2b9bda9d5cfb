"""Other data for a run than those it was trained on: by the run's own source, or by one that suits them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.data.objects import OBJECT_TYPES
from trainwright.errors import DataError, TrainwrightError, closest_sibling
from trainwright.progress import ProgressSink
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.own_source import Place, lacking_of_objects, pointed_at

if TYPE_CHECKING:
    from trainwright.data.sniffing import Guess
    from trainwright.data.types import Processor
    from trainwright.recipe import LoadedRecipe
    from trainwright.recipe.schema import Column, Data

_WHERE = "--data"
_COCO_KINDS = {"keypoints": "person_keypoints", "text": "captions", "mask": "panoptic"}


@dataclass(frozen=True)
class OtherData:
    """How a run's recipe reads other data.

    Attributes:
        source: Name of the source that reads them.
        overrides: Key path -> value.
        told: In words which source that is, and why.
    """

    source: str
    overrides: dict[str, Any]
    told: list[str] = field(default_factory=list)


def other_data(data: Data, path: Path, overrides: Mapping[str, Any] | Sequence[str] = ()) -> OtherData:
    """How a run's recipe reads the data at a path.

    The run's own source, with its parameters, reads what it can: it is built at the new place, and has to
    find the run's columns there, and at least one object where the run learns objects. Other data are
    sniffed. What decides is what the run's columns need, not what `init` would make of the data: boxes,
    instances and keypoints are all read from the objects of a picture, and classes go by name.

    Args:
        data: The data section of the run's recipe.
        path: A folder, an archive or a file.
        overrides: What the user says of the recipe; where the pictures of a COCO file lie is asked of it.

    Raises:
        DataError: Nothing at the path fits the run's columns; says which one lacks what.
    """
    if not path.exists():
        near = closest_sibling(path)
        fix = f"did you mean {near}?" if near else "give a folder, an archive or a file that is there"
        raise DataError(f"{path} does not exist", where=_WHERE, fix=fix)
    place, images = Place.of(data), _pictures(overrides)
    if place is None:
        return _sniffed(data, path, "data.source", images=images, own="", exact=False)
    own = place.source["name"]
    try:
        return OtherData(
            own, pointed_at(data, place, path, images), [f"{path}: read by the run's own source, {own}"]
        )
    except TrainwrightError as error:
        refused = error
    try:
        found = _sniffed(data, path, place.key, images=images, own=own, exact=place.given)
    except TrainwrightError as error:
        if error.what == refused.what:
            raise refused from None
        raise _neither(path, own, refused, error) from refused
    if found.source != own:
        found.told.append(f"the run's own source, {own}, does not fit them: {refused.what}")
    return found


def loaded_for(
    run: RunDirectory, data: Any, overrides: Mapping[str, Any] | Sequence[str], progress: ProgressSink
) -> LoadedRecipe:
    """A run's recipe with other values; at a path it reads other data, and the user is told how.

    Args:
        run: Whose recipe.
        data: A path; anything else leaves the recipe's source as it is.
        overrides: What the user says of the recipe; it goes before what the data ask for.
        progress: Told which source reads other data.

    Raises:
        DataError: Nothing at the path fits the run's columns.
        RecipeError: The values make no recipe.
    """
    if not isinstance(data, str | os.PathLike):
        return recipes.load(run.resolved, overrides)
    other = other_data(recipes.load(run.resolved).recipe.data, Path(data), overrides)
    for line in other.told:
        progress.message(line)
    return recipes.load(run.resolved, _joined(other.overrides, overrides))


def read_as(column: Column, processor: Processor) -> None:
    """Gives a processor that was fitted before the recipe's say on which samples' parts are left out.

    Args:
        column: Of the present recipe.
        processor: Of the run; what it has learned stays.
    """
    for name in getattr(processor, "selecting", ()):
        setattr(processor, name, (column.model_extra or {})[name])


def _joined(
    place: Mapping[str, Any], overrides: Mapping[str, Any] | Sequence[str]
) -> Mapping[str, Any] | Sequence[str]:
    """Where the data are, and what the user says, which goes before."""
    if isinstance(overrides, Mapping):
        return {**place, **overrides}
    return [*(f"{key}={json.dumps(value)}" for key, value in place.items()), *overrides]


def _pictures(overrides: Mapping[str, Any] | Sequence[str]) -> str | None:
    """Where the user says that pictures lie."""
    if not isinstance(overrides, Mapping):
        overrides = dict(item.split("=", 1) for item in overrides if "=" in item)
    found = overrides.get("data.source.images")
    return None if found is None else str(found)


def _sniffed(data: Data, path: Path, key: str, *, images: str | None, own: str, exact: bool) -> OtherData:
    """The first guess that has what the run's columns need. Raises DataError where none has.

    Args:
        data: Of the run's recipe.
        path: Of the data.
        key: Key path of the source.
        images: Folder of the pictures, None where it is near.
        own: Name of the run's source.
        exact: Columns of that same source go by their names alone.
    """
    refused: DataError | None = None
    for guess in _guesses(data, path.absolute(), images):
        source = dict(guess.source)
        if source["name"] == "folder":
            source["splits"] = "ignore"
        overrides: dict[str, Any] = {key: source}
        try:
            if key == "data.source":
                overrides |= _columns(data, guess, path, exact=exact and source["name"] == own)
            elif not any(item["type"] in OBJECT_TYPES for item in guess.targets.values()):
                raise _unfit(key, "the objects of pictures", guess, path)
        except DataError as error:
            refused = refused or error
            continue
        told = f"{path}: read by the source {source['name']} ({guess.notes[0]})"
        return OtherData(source["name"], overrides, [told])
    assert refused is not None, "sniffing gives a guess or an error"
    raise refused


def _guesses(data: Data, path: Path, images: str | None) -> Iterator[Guess]:
    """What the data seem to be; of several kinds of COCO files first the one that the run's targets need."""
    from trainwright.data.sniffing import coco, sniff

    kinds = (_COCO_KINDS[item.type] for item in data.targets.values() if item.type in _COCO_KINDS)
    wanted = next(kinds, "")
    if (wanted or images is not None) and (path.is_dir() or path.suffix.lower() == ".json"):
        guess = coco.detect(path, wanted, images)
        if guess is not None:
            yield guess
    yield sniff(path)


def _columns(data: Data, guess: Guess, path: Path, *, exact: bool) -> dict[str, Any]:
    """Overrides with which the run's columns read the guessed ones."""
    overrides: dict[str, Any] = {}
    for group, columns in (("inputs", data.inputs), ("targets", data.targets)):
        there = guess.inputs if group == "inputs" else guess.targets
        for name, column in columns.items():
            key = f"data.{group}.{name}"
            if column.type in OBJECT_TYPES:
                overrides |= _objects(key, name, column, guess, path)
            elif column.type == "mask" and guess.source["name"] != data.source["name"]:
                raise _unfit(
                    key, f"masks of {data.source['name']}, whose ids mean the same classes", guess, path
                )
            else:
                overrides |= _matched(key, name, column, {} if exact else there, guess, path)
    return overrides


def _objects(key: str, name: str, column: Column, guess: Guess, path: Path) -> dict[str, Any]:
    """The override with which a column of objects reads those that were found, of whatever type."""
    found = [item for item in guess.targets.values() if item["type"] in OBJECT_TYPES]
    if len(found) != 1:
        raise _unfit(key, "the objects of pictures", guess, path)
    lacking = lacking_of_objects(column, found[0]["type"])
    if lacking:
        raise _unfit(key, lacking, guess, path)
    there = found[0].get("column", "objects")
    return {} if (column.column or name) == there else {f"{key}.column": there}


def _matched(
    key: str, name: str, column: Column, there: Mapping[str, Mapping[str, Any]], guess: Guess, path: Path
) -> dict[str, Any]:
    """The override that makes a column of the run read the one that fits it; empty where it does already."""
    found = {**guess.inputs, **guess.targets}
    joined = (column.model_extra or {}).get("columns")
    if joined:
        known = {part for item in found.values() for part in item.get("columns") or ()} | set(found)
        lacking = [part for part in joined if part not in known]
        if not lacking:
            return {}
        raise _unfit(key, f"the columns {', '.join(lacking)}", guess, path)
    own = column.column or name
    if own in found:
        return {}
    alike = [other for other, item in there.items() if item["type"] == column.type]
    if len(alike) != 1:
        raise _unfit(key, f"a column {own!r}, or a single one of type {column.type}", guess, path)
    return {f"{key}.column": there[alike[0]].get("column") or alike[0]}


def _unfit(key: str, wanted: str, guess: Guess, path: Path) -> DataError:
    found = {**guess.inputs, **guess.targets}
    shown = ", ".join(f"{name} ({item['type']})" for name, item in found.items())
    return DataError(
        f"the data do not fit the run: {key} needs {wanted}",
        where=f"{_WHERE} {path}",
        why=f"read as {guess.source['name']} there are {shown or 'no columns'}",
        fix="name the columns as the run does, or evaluate from Python on data in memory",
    )


def _neither(path: Path, own: str, refused: TrainwrightError, sniffed: TrainwrightError) -> DataError:
    """Why neither the run's own source nor another one can read the data."""
    reasons = [f"by the run's own source, {own}: {refused.what}"]
    reasons += [f"at {refused.where}" if refused.where else "", refused.why]
    other = "; ".join(filter(None, [sniffed.what, sniffed.why]))
    return DataError(
        "the data cannot be read for the run",
        where=f"{_WHERE} {path}",
        why=f"{'; '.join(filter(None, reasons))}\n       by what is found there: {other}",
        fix=sniffed.fix or refused.fix,
    )
