"""Optuna's samplers through ask and tell, over a study in memory that is rebuilt from ours.

Ours is the truth. Optuna's copy is filled by repeating, in order, what was asked and what was told, each ask
with a sampler of its own seeded by the trial's number: so a search that is interrupted at any point asks the
same as one that was not, and no state of a sampler (which Optuna pickles) is ever stored.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainwright.errors import MissingExtra
from trainwright.recipe.space import Point, Space, Value, Variable, point_key
from trainwright.tune.constraints import Constraint
from trainwright.tune.trial import Trial, TrialState

if TYPE_CHECKING:
    import optuna


class OptunaSearch(ABC):
    """A search that Optuna makes.

    Args:
        space: The search space.
        directions: Objective -> `maximize` or `minimize`.
        seed: Address of every draw.
        constraints: Limits that a trial has to keep.
    """

    size: int | None = None
    repeats_asks = False
    """Whether the sampler keeps a state of its own from ask to ask, beside the trials."""

    def __init__(
        self,
        space: Space,
        directions: Mapping[str, str],
        seed: int,
        constraints: Sequence[Constraint] = (),
    ) -> None:
        self._constraints, self._excess = list(constraints), dict[int, list[float]]()
        self._space, self._directions, self._seed = space, list(directions.values()), seed
        self._optuna = _import_optuna()
        self._forget()

    @abstractmethod
    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A new sampler of this kind."""

    def ask(self, number: int, history: Sequence[Trial]) -> Point | None:
        """The point of that number."""
        if not self._follows(history):
            self._forget()
        if not self._bring_up_to_date(history):
            # Another version of Optuna asks otherwise, or a failed trial was tried again. What was really
            # tried counts; a state that the sampler keeps beside the trials begins anew.
            self._forget()
            self._repeats = False
            self._bring_up_to_date(history)
        return self._ask(number)

    def _bring_up_to_date(self, history: Sequence[Trial]) -> bool:
        """Fills Optuna's copy; False where an ask that is repeated has another answer than it had."""
        if not all(self._repeat(trial, history) for trial in history[len(self._points) :]):
            return False
        self._tell(history, max((trial.ended or 0 for trial in history), default=0))
        return True

    @property
    def excess(self) -> Callable[[optuna.trial.FrozenTrial], Sequence[float]] | None:
        """How far a trial lies outside of each limit, for samplers that ask; None where there is none."""
        return (lambda frozen: self._excess[frozen.number]) if self._constraints else None

    def _forget(self) -> None:
        self._repeats = self.repeats_asks
        self._study = self._optuna.create_study(directions=self._directions)
        self._points: list[str] = []
        self._told: dict[int, tuple[Any, ...]] = {}

    def _follows(self, history: Sequence[Trial]) -> bool:
        """Whether Optuna's copy is a beginning of the history, and told of nothing that has changed."""
        if len(self._points) > len(history):
            return False
        return all(
            point_key(history[index].point) == point for index, point in enumerate(self._points)
        ) and all(_result(history[index]) == told for index, told in self._told.items())

    def _repeat(self, trial: Trial, history: Sequence[Trial]) -> bool:
        """Brings Optuna's copy to where it stood when a trial had been asked."""
        if self._repeats:
            self._tell(history, trial.known)
            return point_key(self._ask(trial.number)) == point_key(trial.point)
        parameters, distributions = self._encoded(trial.point)
        optuna = self._optuna
        state = optuna.trial.TrialState.RUNNING
        frozen = optuna.trial.create_trial(state=state, params=parameters, distributions=distributions)
        self._study.add_trial(frozen)
        self._points.append(point_key(trial.point))
        return True

    def _tell(self, history: Sequence[Trial], known: int) -> None:
        """Tells what the first `known` trials that ended came to, in the order in which they ended."""
        ended = [
            trial
            for trial in history[: len(self._points)]
            if trial.ended is not None and trial.ended <= known and trial.number not in self._told
        ]
        state = self._optuna.trial.TrialState
        for trial in sorted(ended, key=lambda item: item.ended or 0):
            self._excess[trial.number] = self._outside(trial)
            partial = trial.state is not TrialState.DONE and trial.epochs is not None
            if trial.values is None:
                self._study.tell(trial.number, state=state.FAIL)
            elif partial and len(self._directions) == 1:
                self._report(trial, trial.values[0])
                self._study.tell(trial.number, state=state.PRUNED)
            else:  # Optuna prunes by one objective only; of several the last values stand for the end's
                self._study.tell(trial.number, list(trial.values))
            self._told[trial.number] = _result(trial)

    def _outside(self, trial: Trial) -> list[float]:
        measured = trial.details.get("constraints", {})
        return [min(item.excess(measured.get(item.metric)), 1e30) for item in self._constraints]

    def _report(self, trial: Trial, value: float) -> None:
        """What a trial that was stopped or paused came to by then."""
        identity = self._study.get_trials(deepcopy=False)[trial.number]._trial_id
        self._optuna.trial.Trial(self._study, identity).report(value, trial.epochs or 0)

    def _ask(self, number: int) -> Point:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that are experimental, or renamed in a later version
            self._study.sampler = self.sampler(self._seed_of(number))
            asked = self._study.ask()
            point = self._space.point(lambda variable: self._suggest(asked, variable))
        self._points.append(point_key(point))
        return point

    def _seed_of(self, number: int) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._seed}/{number}".encode()).digest()[:4], "big")

    def _suggest(self, asked: optuna.Trial, variable: Variable) -> Value:
        if variable.choices is not None:
            return variable.choices[asked.suggest_categorical(variable.path, range(len(variable.choices)))]
        low, high = variable.low, variable.high
        if variable.integer:
            step = round(variable.step or 1)
            return asked.suggest_int(variable.path, round(low), round(high), step=step, log=variable.log)
        return asked.suggest_float(variable.path, low, high, step=variable.step, log=variable.log)

    def _encoded(self, point: Point) -> tuple[dict[str, Any], dict[str, Any]]:
        """A point in Optuna's terms."""
        made = self._optuna.distributions
        parameters: dict[str, Any] = {}
        distributions: dict[str, Any] = {}
        for item in self._space.variables:
            if item.path not in point:
                continue
            value = point[item.path]
            if item.choices is not None:
                keys = [json.dumps(choice, sort_keys=True) for choice in item.choices]
                value = keys.index(json.dumps(value, sort_keys=True))
                distributions[item.path] = made.CategoricalDistribution(range(len(keys)))
            elif item.integer:
                low, high, step = round(item.low), round(item.high), round(item.step or 1)
                distributions[item.path] = made.IntDistribution(low, high, log=item.log, step=step)
            else:
                distributions[item.path] = made.FloatDistribution(
                    item.low, item.high, log=item.log, step=item.step
                )
            parameters[item.path] = value
        return parameters, distributions


def _result(trial: Trial) -> tuple[Any, ...]:
    return (trial.state is not TrialState.FAILED, trial.values, trial.ended, trial.epochs)


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("optuna", "tune") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
