"""Several studies of one recipe as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainwright.recipe.space import point_key
from trainwright.tune.curve import Curve
from trainwright.tune.store import Store
from trainwright.tune.trial import Trial, TrialState

_RANK = (TrialState.DONE, TrialState.STOPPED, TrialState.PAUSED, TrialState.FAILED)


@dataclass(frozen=True)
class Merged:
    """What was put together.

    Attributes:
        trials: Every point once, with its curve, numbered anew in the order of the studies.
        twice: Trials left out because another study had come as far with the same point.
        unfinished: Trials left out because they wait or run.
    """

    trials: list[tuple[Trial, Curve]]
    twice: int
    unfinished: int


def merged(stores: Sequence[Store]) -> Merged:
    """The ended trials of several studies; of a point that several have, the one that came farthest."""
    kept: dict[str, tuple[Trial, Curve]] = {}
    twice = unfinished = 0
    for store in stores:
        curves = store.curves()
        for trial in store.trials():
            if not trial.state.ended:
                unfinished += 1
                continue
            key, mine = point_key(trial.point), (trial, curves.get(trial.number, ()))
            if key in kept:
                twice += 1
                if _RANK.index(trial.state) >= _RANK.index(kept[key][0].state):
                    continue
            kept[key] = mine
    numbered = [
        (replace(trial, number=number, known=number, ended=number + 1), curve)
        for number, (trial, curve) in enumerate(kept.values())
    ]
    return Merged(numbered, twice, unfinished)
