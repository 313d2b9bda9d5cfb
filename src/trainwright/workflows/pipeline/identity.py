"""The salt of a stage: what makes its output different, and nothing else.

Part of it: the component with its version, every parameter, the salts of the stages whose outputs it names,
the content of the files that it names, the recipe that it names as a run's salt has it, and the source of the
user's own code. Not part of it: names, places on this machine, into how many parts work is divided, device.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright.errors import DataError, RunError, TrainwrightError, closest_sibling, raise_all
from trainwright.recipe.nodes import KeyPath, join_path
from trainwright.recipe.places import find_place
from trainwright.recipe.salt import Identity, digest
from trainwright.recipe.user_sources import module_digest
from trainwright.runs.listing import find_run
from trainwright.workflows.pipeline.content import place_digest
from trainwright.workflows.pipeline.definition import Pipeline, Stage
from trainwright.workflows.pipeline.recipes_of_stages import find_recipe, has_token, read_recipe, within
from trainwright.workflows.pipeline.references import named_in, replaced
from trainwright.workflows.pipeline.values import MarkedValue, marked_values

_OVERRIDES = "overrides"


@dataclass(frozen=True)
class IdentifiedStage:
    """A stage whose salt is known.

    Attributes:
        stage: As the file says it.
        identity: Its salt, digest, and the parts that these are made of.
        spec: Its values with places found; references are left as they stand.
        to_check: Recipes that can be checked as they are: key path -> recipe and overrides.
        notices: What a person should know.
    """

    stage: Stage
    identity: Identity
    spec: dict[str, Any]
    to_check: tuple[tuple[KeyPath, Any, dict[str, Any]], ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def salt(self) -> str:
        """Ten hex digits."""
        return self.identity.salt

    @property
    def has_user_code(self) -> bool:
        """Whether modules of the user take part, or what takes part is not known yet."""
        parts = self.identity.parts
        return bool(parts["code"]) or any("from" in item for item in parts["recipes"].values())


def identify(pipeline: Pipeline, runs_dir: Path) -> dict[str, IdentifiedStage]:
    """The salts of all stages, in order; reads recipes, user code and the files that the stages name.

    Args:
        pipeline: The pipeline.
        runs_dir: Where runs are looked for that are named by id, name or salt.

    Raises:
        RecipeError, ErrorList: Places that are not there, bad recipes: all that could be found.
    """
    found: dict[str, IdentifiedStage] = {}
    salts: dict[str, str] = {}
    errors: list[TrainwrightError] = []
    for stage in pipeline.stages.values():
        # A stage behind a faulty one is still looked at, for its own faults to be told as well.
        tokens = {name: salts.get(name, "?") for name in stage.uses}
        identifier = _Identifier(pipeline, stage, tokens, runs_dir)
        item = identifier.run()
        errors += identifier.errors
        if item is not None:
            found[stage.name], salts[stage.name] = item, item.salt
    raise_all(errors)
    return found


class _Identifier:
    """The work on one stage's identity."""

    def __init__(self, pipeline: Pipeline, stage: Stage, salts: Mapping[str, str], runs_dir: Path) -> None:
        self.pipeline, self.stage, self.salts, self.runs_dir = pipeline, stage, salts, runs_dir
        self.errors: list[TrainwrightError] = []
        self.spec = copy.deepcopy(stage.spec)
        self.parameters: dict[str, Any] = {
            name: self._with_salts(value) for name, value in stage.spec.items() if name != "name"
        }
        self.content: dict[str, str] = {}
        self.recipes: dict[str, Any] = {}
        self.versions: dict[str, Any] = {}
        self.code: dict[str, str] = {}
        self.to_check: list[tuple[KeyPath, Any, dict[str, Any]]] = []
        self.notices: list[str] = []

    def run(self) -> IdentifiedStage | None:
        """The stage with its salt; None where something of it is wrong, which stands in `errors`."""
        for value in marked_values(self.stage):
            try:
                self._take(value)
            except TrainwrightError as error:
                self.errors.append(error)
        if self.errors:
            return None
        info = self.stage.info
        if info.user_code:
            self.code[info.target.partition(":")[0]] = module_digest(info.target.partition(":")[0])
        parts = {
            "stage": info.name,
            "version": info.version,
            "parameters": self.parameters,
            "content": self.content,
            "recipes": self.recipes,
            "versions": self.versions,
            "code": self.code,
        }
        whole = digest(parts)
        return IdentifiedStage(
            self.stage,
            Identity(whole[:10], whole, parts),
            self.spec,
            tuple(self.to_check),
            tuple(dict.fromkeys(self.notices)),
        )

    def _take(self, value: MarkedValue) -> None:
        if value.is_division:
            _remove(self.parameters, value.path)
        elif value.recipe is not None:
            self._take_recipe(value)
        elif isinstance(value.value, str) and not named_in(value.value):
            if value.is_place:
                self._take_place(value)
            elif value.may_be_file:
                place = find_place(value.value, self.pipeline.folder)
                if place is not None and Path(place).is_file():
                    self.content[join_path(value.path)] = self._digest(value, Path(place))
                    if Path(value.value).is_absolute():
                        _remove(self.parameters, value.path)

    def _take_place(self, value: MarkedValue) -> None:
        """Where it lies makes no difference; what lies there does."""
        if value.is_run:
            try:
                place = str(find_run(self._beside(value.value), self.runs_dir).path.absolute())
            except RunError as error:
                raise self._problem(value.path, error.what, error.why, error.fix) from error
        else:
            found = find_place(value.value, self.pipeline.folder)
            if found is None:
                raise self._missing(value)
            place = found
        _put(self.spec, value.path, place)
        _remove(self.parameters, value.path)
        self.content[join_path(value.path)] = self._digest(value, Path(place))

    def _beside(self, text: str) -> str:
        """A run's directory that lies beside the pipeline's file, else the words as they are."""
        place = find_place(text, self.pipeline.folder)
        return place if place is not None and (Path(place) / "run.json").is_file() else text

    def _digest(self, value: MarkedValue, place: Path) -> str:
        try:
            return place_digest(place)
        except (DataError, RunError) as error:
            raise self._problem(value.path, f"{error.where}: {error.what}", error.why, error.fix) from error

    def _take_recipe(self, value: MarkedValue) -> None:
        overrides = self.parameters.get(_OVERRIDES) or {}
        given = find_recipe(self._with_salts(value.value), self.pipeline.folder)
        mark = value.recipe
        assert mark is not None
        try:
            found = read_recipe(given, overrides, tuned=self.stage.info.name == "tune")
        except TrainwrightError as error:
            where = self._problem((*value.path,), "").where
            raise within(error, f"{where}: {join_path((*self.stage.path, *value.path))}") from error
        if isinstance(given, str) and not has_token(given):
            _put(self.spec, value.path, given)
        _remove(self.parameters, value.path)
        self.parameters.pop(_OVERRIDES, None)
        name = join_path(value.path)
        self.recipes[name] = found.fields
        self.versions |= {name: found.versions} if found.versions else {}
        self.content |= {f"{name}.{key}": item for key, item in found.content.items()}
        self.code |= found.code
        self.notices += found.notices
        if mark.trained and not found.waits:
            self.to_check.append(((*self.stage.path, *value.path), given, overrides))

    def _with_salts(self, value: Any) -> Any:
        """A value in which the salt of a stage stands for its output."""
        return replaced(value, lambda name: f"stage:{self.salts[name]}")

    def _missing(self, value: MarkedValue) -> TrainwrightError:
        here = Path(value.value).expanduser()
        guess = closest_sibling(here) or closest_sibling(self.pipeline.folder / here)
        looked = dict.fromkeys([str(here.absolute()), str(self.pipeline.folder / here)])
        return self._problem(
            value.path,
            f"there is no file or folder {value.value!r}",
            f"looked for {' and for '.join(looked)}",
            f"did you mean {guess}?" if guess else "name the stage that makes it: ${stages.NAME}",
        )

    def _problem(self, path: KeyPath, what: str, why: str = "", fix: str = "") -> TrainwrightError:
        return self.pipeline.problem((*self.stage.path, *path), what, why=why, fix=fix)


def _put(value: Any, path: KeyPath, item: Any) -> None:
    for part in path[:-1]:
        value = value[part]
    value[path[-1]] = item


def _remove(value: Any, path: KeyPath) -> None:
    """Takes a value away; of a list its place stays, for the others to keep theirs."""
    for part in path[:-1]:
        value = value[part]
    if isinstance(value, dict):
        value.pop(path[-1], None)
    else:
        value[path[-1]] = None
