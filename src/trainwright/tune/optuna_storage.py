"""A study as one of Optuna's, for its own dashboard and tools."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainwright.errors import MissingExtra, RunError
from trainwright.recipe.space import Space, Value, Variable
from trainwright.tune.curve import Curve, Curves
from trainwright.tune.trial import Trial, TrialState

if TYPE_CHECKING:
    import optuna


def write_optuna(
    url: str, name: str, space: Space, objectives: Mapping[str, str], trials: Sequence[Trial], curves: Curves
) -> int:
    """Writes every ended trial into a new study of Optuna's; gives their number.

    Choices that are no plain values become JSON texts. A stopped or paused trial is a pruned one. Where a
    trial ran, why it ended, its number here, and the objectives that a stopped one came to (`last`) are
    attributes of it.

    Args:
        url: Optuna's storage, such as `sqlite:///optuna.db`.
        name: Of the study.
        space: What was searched.
        objectives: Objective -> `maximize` or `minimize`.
        trials: All trials.
        curves: Their reports.

    Raises:
        MissingExtra: Optuna is not installed.
        RunError: The storage has a study of this name, or cannot be written.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("optuna", "tune") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ended = [trial for trial in trials if trial.state.ended]
    made = [_frozen(optuna, space, objectives, trial, curves.get(trial.number, ())) for trial in ended]
    try:
        study = optuna.create_study(storage=url, study_name=name, directions=list(objectives.values()))
    except optuna.exceptions.DuplicatedStudyError as error:
        fix = "give another file, or delete the study there"
        raise RunError(f"the storage has a study `{name}` already", where=url, fix=fix) from error
    except (
        optuna.exceptions.StorageInternalError,
        SQLAlchemyError,
        OSError,
        ValueError,
        ImportError,
    ) as error:
        fix = "give a URL such as sqlite:///optuna.db, or postgresql+psycopg://user@host/database"
        why = str(error).split("\n")[0]
        raise RunError("Optuna cannot open the storage", where=url, why=why, fix=fix) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a part that is still called experimental
        study.set_metric_names(list(objectives))
    study.add_trials(made)
    return len(made)


def _frozen(
    optuna: Any, space: Space, objectives: Mapping[str, str], trial: Trial, curve: Curve
) -> optuna.trial.FrozenTrial:
    used = [variable for variable in space.variables if variable.path in trial.point]
    states = {TrialState.DONE: "COMPLETE", TrialState.FAILED: "FAIL"}
    attributes = {"trial": trial.number, "run": trial.run, "seconds": trial.seconds, **trial.details}
    if trial.reason:
        attributes["reason"] = trial.reason
    if trial.state is not TrialState.DONE and trial.values is not None:
        attributes["last"] = dict(
            zip(objectives, trial.values, strict=True)
        )  # Optuna takes values of done ones
    first = next(iter(objectives))
    single = len(objectives) == 1
    steps = {report.epoch: report.values[first] for report in curve if first in report.values}
    done = trial.state is TrialState.DONE
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[states.get(trial.state, "PRUNED")],
        values=list(trial.values) if done and trial.values is not None else None,
        params={item.path: _plain(item, trial.point[item.path]) for item in used},
        distributions={item.path: _distribution(optuna, item) for item in used},
        user_attrs=attributes,
        intermediate_values=steps if single else {},  # Optuna knows none of several objectives
    )


def _distribution(optuna: Any, item: Variable) -> Any:
    made = optuna.distributions
    if item.choices is not None:
        return made.CategoricalDistribution([_plain(item, choice) for choice in item.choices])
    if item.integer:
        step = round(item.step or 1)
        return made.IntDistribution(round(item.low), round(item.high), log=item.log, step=step)
    return made.FloatDistribution(item.low, item.high, log=item.log, step=item.step)


def _plain(item: Variable, value: Value) -> Any:
    if item.choices is None or value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, sort_keys=True)
