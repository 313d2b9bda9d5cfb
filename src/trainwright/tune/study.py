"""A study: the store, and the search that adds points to it."""

from __future__ import annotations

from collections.abc import Sequence

from trainwright.tune.constraints import Constraint, kept
from trainwright.tune.curve import Curves, until
from trainwright.tune.search.base import Search
from trainwright.tune.stop.base import Stopper, Verdict
from trainwright.tune.store import Store
from trainwright.tune.trial import Trial, TrialState

_TRIES = 20


class Study:
    """Hands out trials and takes their results.

    Args:
        store: Where they are kept.
        search: Chooses new points.
        limit: Trials to make; None where there is no limit but the search's own.
        stoppers: Rules of early stopping.
    """

    def __init__(
        self, store: Store, search: Search, limit: int | None, stoppers: Sequence[Stopper] = ()
    ) -> None:
        self.store, self._search, self._stoppers = store, search, list(stoppers)
        sizes = [size for size in (limit, search.size) if size is not None]
        self.size: int | None = min(sizes, default=None)

    def next(
        self, owner: str, lease: float, avoid: Sequence[int] = (), threads: int | None = None
    ) -> Trial | None:
        """A trial to work on, leased; None where there is nothing to do now.

        One that waits, else a paused one that may go on, else a new one.

        Args:
            owner: Who works on it.
            lease: Seconds until somebody else may, unless it is renewed.
            avoid: Numbers that are left alone.
            threads: Compute threads of a new trial's runs.
        """
        waiting = self.store.take(owner, lease, avoid)
        if waiting is not None:
            return waiting
        paused = self._promoted(owner, lease, last=False)
        if paused is not None:
            return paused
        for _ in range(_TRIES):
            history = self.store.trials()
            number = len(history)
            if self.size is not None and number >= self.size:
                return self._promoted(owner, lease, last=True)
            # What had ended when the history was read; a trial that was taken up again counts twice.
            known = max((trial.ended or 0 for trial in history), default=0)
            point = self._search.ask(number, history)
            if point is None:
                return None
            once = self.is_grid
            added = self.store.add(
                number, point, owner=owner, lease=lease, known=known, once=once, threads=threads
            )
            if added is not None:
                return added
        return None

    @property
    def is_grid(self) -> bool:
        """Whether every point is there once."""
        return self._search.size is not None

    @property
    def metrics(self) -> list[str]:
        """What every report has to give for the trials to be judged."""
        return list(dict.fromkeys(name for stopper in self._stoppers for name in stopper.metrics))

    def judge(self, number: int, epoch: int) -> Verdict | None:
        """What becomes of a running trial after its report of an epoch; None where it goes on.

        The same reports get the same answer, however often it is asked.
        """
        curves = self.store.curves()
        trials = self.store.trials()
        if not curves.get(number):
            return None
        curves[number] = until(curves[number], epoch)
        done = {trial.number for trial in trials if trial.state is TrialState.DONE}
        found = [stopper.judge(number, curves, done) for stopper in self._stoppers]
        verdicts = [verdict for verdict in found if verdict is not None]
        if trials[number].epochs is not None and epoch <= (trials[number].epochs or 0):
            # It was paused here, and then let go on.
            verdicts = [verdict for verdict in verdicts if verdict.action == "stop"]
        return min(verdicts, key=lambda verdict: verdict.action == "pause", default=None)

    def finished(self) -> bool:
        """Whether every trial that is to be made has ended, and none that is paused may go on."""
        trials = self.store.trials()
        made = self.size is not None and len(trials) >= self.size and all(t.state.ended for t in trials)
        return made and self._next_paused(self.store.curves(), last=True) is None

    def _promoted(self, owner: str, lease: float, *, last: bool) -> Trial | None:
        """A paused trial that may go on, leased."""
        if not self._stoppers:
            return None
        if last and not all(trial.state.ended for trial in self.store.trials()):
            return None  # what still runs may be better
        number = self._next_paused(self.store.curves(), last=last)
        return None if number is None else self.store.go_on(number, owner, lease)

    def _next_paused(self, curves: Curves, *, last: bool) -> int | None:
        paused = {trial.number for trial in self.store.trials() if trial.state is TrialState.PAUSED}
        if not paused:
            return None
        found = (stopper.promoted(curves, paused, last=last) for stopper in self._stoppers)
        return next((number for number in found if number is not None), None)


def best(
    trials: Sequence[Trial], directions: Sequence[str], constraints: Sequence[Constraint] = ()
) -> list[Trial]:
    """Trials that no other one is better than in every objective (the Pareto front), best first.

    With one objective that is the best one; of equal ones the first.

    Args:
        trials: Any trials; those without values are left out.
        directions: `maximize` or `minimize` for each objective.
        constraints: What lies outside of one is left out.
    """
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in directions]
    done = [trial for trial in trials if trial.state is TrialState.DONE and trial.values is not None]
    done = [trial for trial in done if kept(trial, constraints)]
    costs = {t.number: tuple(s * v for s, v in zip(signs, t.values or (), strict=True)) for t in done}
    done = [trial for trial in done if all(cost == cost for cost in costs[trial.number])]  # NaN is no result
    done.sort(key=lambda trial: (costs[trial.number], trial.number))
    front: list[Trial] = []
    for trial in done:
        cost = costs[trial.number]
        if not any(all(a <= b for a, b in zip(costs[o.number], cost, strict=True)) for o in front):
            front.append(trial)
    return front
