"""What a trial costs beside its training: an empty one, asked for, leased, and its result committed.

python -m benchmarks.tune_overhead

Ours on SQLite, beside Optuna's own SQLite storage with the same sampler, at 10 and at 1,000 finished trials.
Both are durable against SIGKILL. The rounds of both are interleaved.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish
from trainwright import registry
from trainwright.recipe.space import Space, Variable
from trainwright.tune.store import Store
from trainwright.tune.study import Study
from trainwright.tune.trial import TrialState

SPACE = Space(tuple(Variable(f"x{index}", low=1e-4, high=1.0, log=True) for index in range(5)))
SAMPLERS = {"random": "RandomSampler", "tpe": "TPESampler", "gp": "GPSampler"}


class Ours:
    """Empty trials of ours."""

    def __init__(self, folder: Path, search: str) -> None:
        self._store = Store(folder / "ours.study", "bench")
        self._store.create({}, None)
        self._study, self._random = self._with(search), self._with("random")

    def _with(self, search: str) -> Study:
        directions = {"y": "minimize"}
        found = registry.build("search", search, space=SPACE, directions=directions, seed=0)
        return Study(self._store, found, None)

    def trial(self) -> None:
        """One that the search chooses."""
        self._end(self._study)

    def fill(self, count: int) -> None:
        """So many that are drawn, which every search learns from alike."""
        for _ in range(count):
            self._end(self._random)

    def _end(self, study: Study) -> None:
        taken = study.next("bench", 30.0)
        assert taken is not None
        assert self._store.finish(taken.number, taken.token, TrialState.DONE, [_value(taken.point)])


class Optunas:
    """Empty trials of Optuna's."""

    def __init__(self, folder: Path, search: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._samplers = optuna.samplers
        self._sampler = getattr(optuna.samplers, SAMPLERS[search])(seed=0)
        storage = f"sqlite:///{folder / 'optuna.db'}"
        self._study = optuna.create_study(storage=storage, sampler=self._sampler)

    def trial(self) -> None:
        """One that the sampler chooses."""
        asked = self._study.ask()
        point = {
            item.path: asked.suggest_float(item.path, item.low, item.high, log=True)
            for item in SPACE.variables
        }
        self._study.tell(asked, _value(point))

    def fill(self, count: int) -> None:
        """So many that are drawn."""
        self._study.sampler = self._samplers.RandomSampler(seed=0)
        for _ in range(count):
            self.trial()
        self._study.sampler = self._sampler


Contestant = Ours | Optunas


def _value(point: dict[str, Any]) -> float:
    return float(sum(abs(value - 0.1) for value in point.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_overhead", description=__doc__)
    parser.add_argument("--searches", default="random,tpe,gp")
    parser.add_argument("--finished", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {name: str(value) for name, value in vars(options).items() if name != "dry"}
    results = Results("tune_overhead", settings, now(), machine.describe(), baseline="optuna")
    for search in options.searches.split(","):
        with tempfile.TemporaryDirectory() as place:
            contestants = {"ours": Ours(Path(place), search), "optuna": Optunas(Path(place), search)}
            made = 0
            for finished in options.finished:
                for one in contestants.values():
                    one.fill(max(0, finished - made))
                _measure(results, f"{search} at {finished}", contestants, options.rounds)
                made = max(made, finished) + options.rounds
    finish(results, ("ms_per_trial",), dry=options.dry)


def _measure(results: Results, work: str, contestants: Mapping[str, Contestant], rounds: int) -> None:
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, one in contestants.items():
            begun = time.perf_counter()
            one.trial()
            seen[name].append((time.perf_counter() - begun) * 1000)
            results.measurements.append(Measurement(work, name, number + 1, {"ms_per_trial": seen[name][-1]}))
    for name, values in seen.items():
        print(f"{work} {name}: median {statistics.median(values):.2f} ms")


if __name__ == "__main__":
    main()
