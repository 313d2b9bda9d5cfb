"""A study: the store, and the search that adds points to it."""

from __future__ import annotations

from collections.abc import Sequence

from trainwright.tune.search.base import Search
from trainwright.tune.store import Store
from trainwright.tune.trial import Trial, TrialState

_TRIES = 20


class Study:
    """Hands out trials and takes their results.

    Args:
        store: Where they are kept.
        search: Chooses new points.
        limit: Trials to make; None where there is no limit but the search's own.
    """

    def __init__(self, store: Store, search: Search, limit: int | None) -> None:
        self.store, self._search = store, search
        sizes = [size for size in (limit, search.size) if size is not None]
        self.size: int | None = min(sizes, default=None)

    def next(self, owner: str, lease: float, avoid: Sequence[int] = ()) -> Trial | None:
        """A trial to work on, leased: one that waits, else a new one; None where there is nothing to do now.

        Args:
            owner: Who works on it.
            lease: Seconds until somebody else may, unless it is renewed.
            avoid: Numbers that are left alone.
        """
        waiting = self.store.take(owner, lease, avoid)
        if waiting is not None:
            return waiting
        for _ in range(_TRIES):
            history = self.store.trials()
            number = len(history)
            if self.size is not None and number >= self.size:
                return None
            # What had ended when the history was read; a trial that was taken up again counts twice.
            known = max((trial.ended or 0 for trial in history), default=0)
            point = self._search.ask(number, history)
            if point is None:
                return None
            once = self._search.size is not None
            added = self.store.add(number, point, owner=owner, lease=lease, known=known, once=once)
            if added is not None:
                return added
        return None

    def finished(self) -> bool:
        """Whether every trial that is to be made has ended."""
        trials = self.store.trials()
        return self.size is not None and len(trials) >= self.size and all(t.state.ended for t in trials)


def best(trials: Sequence[Trial], directions: Sequence[str]) -> list[Trial]:
    """Trials that no other one is better than in every objective (the Pareto front), best first.

    With one objective that is the best one; of equal ones the first.

    Args:
        trials: Any trials; those without values are left out.
        directions: `maximize` or `minimize` for each objective.
    """
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in directions]
    done = [trial for trial in trials if trial.state is TrialState.DONE and trial.values is not None]
    costs = {t.number: tuple(s * v for s, v in zip(signs, t.values or (), strict=True)) for t in done}
    done = [trial for trial in done if all(cost == cost for cost in costs[trial.number])]  # NaN is no result
    done.sort(key=lambda trial: (costs[trial.number], trial.number))
    front: list[Trial] = []
    for trial in done:
        cost = costs[trial.number]
        if not any(all(a <= b for a, b in zip(costs[o.number], cost, strict=True)) for o in front):
            front.append(trial)
    return front
