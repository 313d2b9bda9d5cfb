"""The page of a study, made from its trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright import registry
from trainwright.recipe.space import Variable, space_of
from trainwright.recipe.writing import flow
from trainwright.report.study import Axis, StudyContents, Tried
from trainwright.runs.atomic import write_text
from trainwright.tune.curve import Curve
from trainwright.tune.trial import Trial, TrialState
from trainwright.workflows.studies import OpenStudy, escaped

_STARTS = ("startup", "population")  # how searches call the trials of their start


def write_study_report(opened: OpenStudy, path: Path) -> Path:
    """Writes a study's page as one self-contained file. Raises StorageError."""
    from trainwright.report.study_page import render_study_page

    write_text(path, render_study_page(study_contents(opened)))
    return path


def study_contents(opened: OpenStudy) -> StudyContents:
    """A study as its page shows it."""
    trials, curves = opened.store.trials(), opened.store.curves()
    front = {trial.number for trial in opened.best()}
    tune = opened.tune
    recipe = recipes.load({**escaped(opened.base), "tune": tune.model_dump()}).recipe
    axes = [_axis(variable) for variable in space_of(recipe).variables]
    chosen = {axis.name for axis in axes if axis.choices}
    first = next(iter(tune.objectives))
    rows = [_tried(opened, t, curves.get(t.number, ()), first, chosen, front) for t in trials]
    return StudyContents(
        opened.store.name, dict(tune.objectives), axes, rows, _facts(opened, trials), opened.place
    )


def why_tried(search: dict[str, Any], trial: Trial) -> str:
    """Where the point of a trial came from, in words."""
    name = str(search["name"])
    if name == "grid":
        return f"point {trial.number + 1} of the grid"
    if name == "random":
        return f"random draw {trial.number}"
    parameters = [p for p in registry.describe("search", name).parameters if p.name in _STARTS]
    start = next((search.get(p.name, p.default) for p in parameters), None) or 0
    if trial.known < start:
        return f"start of {name}: {trial.known} of {start} results were known"
    return f"{name}, from {trial.known} results"


def _tried(
    opened: OpenStudy, trial: Trial, curve: Curve, first: str, chosen: set[str], front: set[int]
) -> Tried:
    point = {name: flow(value) if name in chosen else value for name, value in trial.point.items()}
    came = "that point was run before: its run is used" if trial.reused else ""
    reason = trial.reason if trial.state is not TrialState.DONE else ""
    return Tried(
        number=trial.number,
        state=str(trial.state),
        values=trial.values,
        point=point,
        on_front=trial.number in front,
        why_tried=why_tried(dict(opened.tune.search), trial),
        why_ended="; ".join(text for text in (came, reason) if text),
        run=trial.run,
        seconds=trial.seconds,
        epochs=trial.epochs,
        intervals=trial.details.get("intervals", {}),
        curve=[(report.epoch, report.values[first]) for report in curve if first in report.values],
    )


def _axis(variable: Variable) -> Axis:
    if variable.choices is not None:
        return Axis(variable.path, choices=tuple(flow(choice) for choice in variable.choices))
    return Axis(variable.path, low=variable.low, high=variable.high, log=variable.log)


def _facts(opened: OpenStudy, trials: list[Trial]) -> dict[str, str]:
    tune = opened.tune
    counts = {str(state): sum(trial.state is state for trial in trials) for state in TrialState}
    facts = {
        "trials": ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none",
        "search": flow(dict(tune.search)),
        "working time": f"{opened.store.study().seconds / 60:.1f} min",
    }
    if tune.stop:
        facts["stopping"] = ", ".join(flow(rule) for rule in tune.stop)
        facts["epochs"] = f"{sum(trial.epochs or 0 for trial in trials):,} trained"
    if tune.constraints:
        limits = {name: item.model_dump(exclude_none=True) for name, item in tune.constraints.items()}
        facts["constraints"] = flow(limits)
    if tune.seeds > 1:
        facts["seeds"] = f"{tune.seeds}, of which the {tune.statistic or 'mean'} counts"
    return facts
