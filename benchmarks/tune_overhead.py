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
from collections.abc import Callable, Sequence
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


def ours(folder: Path, search: str) -> Callable[[], None]:
    """One empty trial of ours."""
    store = Store(folder / "ours.study", "bench")
    store.create({}, None)
    directions = {"y": "minimize"}
    study = Study(store, registry.build("search", search, space=SPACE, directions=directions, seed=0), None)

    def trial() -> None:
        taken = study.next("bench", 30.0)
        assert taken is not None
        assert store.finish(taken.number, taken.token, TrialState.DONE, [_value(taken.point)])

    return trial


def optunas(folder: Path, search: str) -> Callable[[], None]:
    """One empty trial of Optuna's."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = getattr(optuna.samplers, SAMPLERS[search])(seed=0)
    storage = f"sqlite:///{folder / 'optuna.db'}"
    study = optuna.create_study(storage=storage, sampler=sampler)

    def trial() -> None:
        asked = study.ask()
        point = {
            item.path: asked.suggest_float(item.path, item.low, item.high, log=True)
            for item in SPACE.variables
        }
        study.tell(asked, _value(point))

    return trial


def _value(point: dict[str, Any]) -> float:
    return float(sum(abs(value - 0.1) for value in point.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_overhead", description=__doc__)
    parser.add_argument("--searches", default="random,tpe")
    parser.add_argument("--finished", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--budget", type=float, default=200.0, help="seconds in which trials are filled up")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {name: str(value) for name, value in vars(options).items() if name != "dry"}
    results = Results("tune_overhead", settings, now(), machine.describe(), baseline="optuna")
    end = time.monotonic() + options.budget
    for search in options.searches.split(","):
        with tempfile.TemporaryDirectory() as place:
            contestants = {"ours": ours(Path(place), search), "optuna": optunas(Path(place), search)}
            made = dict.fromkeys(contestants, 0)
            for finished in options.finished:
                for name, trial in contestants.items():
                    while made[name] < finished and time.monotonic() < end:
                        trial()
                        made[name] += 1
                _measure(results, search, contestants, made, options.rounds)
    finish(results, ("ms_per_trial",), dry=options.dry)


def _measure(
    results: Results,
    search: str,
    contestants: dict[str, Callable[[], None]],
    made: dict[str, int],
    rounds: int,
) -> None:
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    before = dict(made)
    for number in range(rounds):
        for name, trial in contestants.items():
            begun = time.perf_counter()
            trial()
            seen[name].append((time.perf_counter() - begun) * 1000)
            made[name] += 1
            work = f"{search} at {before[name]}"
            results.measurements.append(Measurement(work, name, number + 1, {"ms_per_trial": seen[name][-1]}))
    for name, values in seen.items():
        print(f"{search} at {before[name]} {name}: median {statistics.median(values):.2f} ms")


if __name__ == "__main__":
    main()
