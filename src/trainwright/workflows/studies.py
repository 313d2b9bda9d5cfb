"""Studies by name: made from a recipe, found again, and what can be taken from them. No torch."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright.errors import RecipeError, RunError
from trainwright.recipe.nodes import leaves
from trainwright.recipe.schema import Tune
from trainwright.recipe.space import Point
from trainwright.recipe.writing import emit, flow
from trainwright.registry.plain_words import show
from trainwright.runs.atomic import make_directory
from trainwright.runs.directory import RunDirectory
from trainwright.tune.constraints import nearest
from trainwright.tune.section import constraints_of, search_of, stoppers_of
from trainwright.tune.store import Store
from trainwright.tune.study import Study, best
from trainwright.tune.trial import Trial, TrialState
from trainwright.wording import counted

SUFFIX = ".study"
_DEFAULT_TRIALS = 20
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


@dataclass
class OpenStudy:
    """A study with what is needed to work on it.

    Attributes:
        place: File or URL.
        store: Its trials.
        study: Hands trials out.
        base: The recipe that is searched, without its `tune` section, as plain data.
        tune: The section.
        loaded: The whole recipe: as it was given, with its lines, or as the study keeps it.
    """

    place: str
    store: Store
    study: Study
    base: dict[str, Any]
    tune: Tune
    loaded: recipes.LoadedRecipe

    def __enter__(self) -> OpenStudy:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    @property
    def directions(self) -> list[str]:
        """Of the objectives, in their order."""
        return list(self.tune.objectives.values())

    def best(self) -> list[Trial]:
        """The best trial, or the Pareto front."""
        return best(self.store.trials(), self.directions, constraints_of(self.tune))

    def why_none_is_best(self) -> RunError:
        """Why there is no best trial, as an error to raise or to tell of."""
        constraints = constraints_of(self.tune)
        trials = self.store.trials()
        done = [trial for trial in trials if trial.state is TrialState.DONE]
        if not done and self.study.finished():
            states = Counter(str(trial.state) for trial in trials)
            ended = ", ".join(f"{count} {state}" for state, count in states.items())
            fix = f"see why: `trainwright tune show {self.place}`; a trial alone: `export --trial N`"
            return RunError(f"no trial came to its end: {ended}", where=self.place, fix=fix)
        if not done:
            return RunError("no trial is done yet", where=self.place)
        trial, reason = nearest(done, constraints)
        many = f"{counted(len(done), 'trial is', 'trials are')} done"
        if not reason:
            return RunError(f"{many}, and none has numbers to compare", where=self.place)
        return RunError(
            f"{many}, and none lies within the constraints",
            where=self.place,
            why=f"the nearest is trial {trial.number}: {reason}",
            fix=f"export it by --trial {trial.number}, or search on with other limits under another name",
        )


def seconds_of(text: str) -> float:
    """`90min`, `2h` in seconds. Raises RecipeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|min|m|h|d)", text)
    if not found:
        raise RecipeError(f"`{text}` is no time", fix="write it as 30s, 20m or 20min, 2h, 1d")
    return float(found[1]) * _UNITS[found[2]]


def start(
    recipe: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Sequence[str],
    *,
    runs_dir: str | Path,
    place: str | None = None,
    trials: int | None = None,
) -> OpenStudy:
    """The study of a recipe: a new one, or the one that is there.

    Raises:
        RecipeError: The recipe has no `tune` section, or a bad one.
        RunError: There is a study of that name from another recipe.
    """
    loaded = recipes.load(recipe, overrides)
    tune = loaded.recipe.tune
    if tune is None:
        raise RecipeError(
            "the recipe does not say what to search",
            where=loaded.source,
            fix="give it a `tune` section: `trainwright explain tune`",
        )
    with recipes.located(loaded):
        search, _ = search_of(loaded.recipe), stoppers_of(loaded.recipe)
    limit = trials if trials is not None else tune.trials
    if limit is None and search.size is None and tune.time is None:
        limit = _DEFAULT_TRIALS
    make_directory(Path(runs_dir))
    where = place or str(Path(runs_dir) / f"{loaded.recipe.name}{SUFFIX}")
    store = Store(where, loaded.recipe.name)
    try:
        plain = _plain(loaded.resolved)
        row = store.create(plain, limit)
        if row.recipe != plain and not store.trials():
            row = store.replace(plain, limit)  # it was refused, or stopped, before its first trial
        refuse_another(row.recipe, plain, where)
        if limit != row.limit and (trials is not None or tune.trials is not None):
            store.set_limit(limit)
        return _opened(store, trials, loaded)
    except BaseException:
        store.close()
        raise


def open_study(name: str, *, runs_dir: str | Path, trials: int | None = None) -> OpenStudy:
    """A study that is there, by file, by name, or by URL (`URL#NAME` where a database has several).

    Raises:
        RunError: There is no such study.
    """
    place, study = name, None
    if "://" in name:
        place, _, text = name.partition("#")
        study = text or None
    elif not Path(name).is_file():
        folder = Path() if Path(name).name != name else Path(runs_dir)  # a path is what it says
        place = str(folder / name.removesuffix(SUFFIX)) + SUFFIX
        if not Path(place).is_file():
            there = sorted(path.stem for path in Path(runs_dir).glob(f"*{SUFFIX}"))
            fix = f"studies there: {', '.join(there)}" if there else "start one: `trainwright tune RECIPE`"
            raise RunError("there is no such study", where=place, fix=fix)
    store = Store(place, study)
    try:
        if trials is not None:
            store.set_limit(trials)
        return _opened(store, trials)
    except BaseException:
        store.close()
        raise


def trial_recipe(base: Mapping[str, Any], point: Point) -> recipes.LoadedRecipe:
    """The recipe of one trial."""
    return recipes.load(escaped(base), point)


def exported(opened: OpenStudy, number: int | None, file: str) -> str:
    """The recipe of a trial as YAML, ready to train.

    It names the compute threads that the trial's run was pinned to, where that run is there: a share of this
    machine's, with which the same bits come out again.

    Args:
        opened: The study.
        number: The trial; the best one, or the first of the front, when None.
        file: Name that the launch line on top gives the recipe.

    Raises:
        RunError: There is no such trial, or none is done.
    """
    trials = opened.store.trials()
    if number is None:
        found = opened.best()
        if not found:
            raise opened.why_none_is_best()
        trial = found[0]
    elif 0 <= number < len(trials):
        trial = trials[number]
    else:
        raise RunError(
            f"there is no trial {number}", where=opened.place, fix=f"there are {len(trials)}, from 0"
        )
    loaded = trial_recipe(opened.base, trial.point)
    resolved = {key: value for key, value in loaded.resolved.items() if key != "tune"}
    resolved["train"] = {**resolved["train"], "threads": _threads_of(trial) or resolved["train"]["threads"]}
    values = dict(zip(opened.tune.objectives, trial.values or (), strict=False))
    came = ", ".join(f"{name} {value:g}" for name, value in values.items()) or str(trial.state)
    head = f"# trainwright train {file}\n# Trial {trial.number} of the study {opened.store.name}: {came}\n"
    return head + emit(resolved)


def _threads_of(trial: Trial) -> int | None:
    """Compute threads of a trial's run; None where it is not there."""
    if not trial.run or not Path(trial.run, "run.json").exists():
        return None
    return RunDirectory(trial.run).record().pinned.get("threads")


def _opened(store: Store, trials: int | None, given: recipes.LoadedRecipe | None = None) -> OpenStudy:
    row = store.study()
    loaded = given or recipes.load(escaped(row.recipe))
    assert loaded.recipe.tune is not None
    limit = row.limit if trials is None else trials
    study = Study(store, search_of(loaded.recipe), limit, stoppers_of(loaded.recipe))
    base = {key: value for key, value in row.recipe.items() if key != "tune"}
    place = f"{store.place}#{store.name}" if "://" in store.place else store.place
    return OpenStudy(place, store, study, base, loaded.recipe.tune, loaded)


def _plain(resolved: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(resolved)))


def refuse_another(there: Mapping[str, Any], here: Mapping[str, Any], place: str) -> None:
    """A study is of one recipe and one space; how long it is searched may change."""

    def relevant(value: Mapping[str, Any]) -> dict[Any, Any]:
        return {
            path: item for path, item in leaves(value) if path not in (("tune", "trials"), ("tune", "time"))
        }

    left, right = relevant(there), relevant(here)
    differing = [path for path in {**left, **right} if left.get(path) != right.get(path)]
    if differing:
        path = differing[0]
        key = ".".join(map(str, path))
        raise RunError(
            "there is a study of this name from another recipe",
            where=place,
            why=f"{key} is {_shown(left, path)} there and {_shown(right, path)} here"
            + (f", and {len(differing) - 1} more" if len(differing) > 1 else ""),
            fix="give the recipe another `name`, or the study another file with --study",
        )


def told_value(value: Any) -> str:
    """A value of a point in few digits; the study keeps all of them."""
    return f"{value:.4g}" if isinstance(value, float) else flow(value)


def told_point(point: Point) -> str:
    """A point on one line."""
    return ", ".join(f"{path} {told_value(value)}" for path, value in point.items())


def _shown(values: Mapping[Any, Any], path: Any) -> str:
    return show(values[path]) if path in values else "not given"


def escaped(value: Any) -> Any:
    """A resolved value so written that reading it again expands no variable."""
    if isinstance(value, Mapping):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escaped(item) for item in value]
    return value.replace("${", "$${") if isinstance(value, str) else value
