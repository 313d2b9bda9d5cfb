"""Which search finds the most in 40 trials: TPE and GP beside random draws, paired by seed.

python -m benchmarks.tune_regret --work branin,hartmann6
python -m benchmarks.tune_regret --work digits --seeds 5

Branin and Hartmann-6 as in Dixon and Szegő (1978), whose minima are known; and the validation loss of the
digits recipe after 60 steps over seven parameters, whose regret is against the best that any search found.
A round is a seed of the search.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish
from trainwright import registry
from trainwright.recipe.space import Point, Space, Variable
from trainwright.tune.trial import Trial, TrialState

SEARCHES = ("random", "tpe", "gp")
Function = Callable[[Point], float]

BRANIN = Space((Variable("x", low=-5.0, high=10.0), Variable("y", low=0.0, high=15.0)))
HARTMANN = Space(tuple(Variable(f"x{index}", low=0.0, high=1.0) for index in range(6)))
DIGITS = Space(
    (
        Variable("train.optimizer.lr", low=1e-5, high=1.0, log=True),
        Variable("train.optimizer.weight_decay", low=1e-5, high=1.0, log=True),
        Variable("train.batch_size", low=16, high=256, log=True, integer=True),
        Variable("model.widths", choices=([8, 16], [16, 32], [32, 64])),
        Variable("model.head", low=8, high=128, log=True, integer=True),
        Variable("model.dropout", low=0.0, high=0.6),
        Variable("model.activation", choices=("relu", "gelu", "tanh")),
    )
)
_A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8]])
_A = np.vstack([_A, [17, 8, 0.05, 10, 0.1, 14]])
_P = np.array(
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
)


def branin(point: Point) -> float:
    """Branin's function; its minimum is 0.397887."""
    x, y = point["x"], point["y"]
    bent = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return float(bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def hartmann6(point: Point) -> float:
    """Hartmann's function of six dimensions; its minimum is -3.32237."""
    x = np.array([point[f"x{index}"] for index in range(6)])
    return float(-np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(_A * (x - _P) ** 2).sum(1)))


def digits(runs: Path) -> Function:
    """The validation loss of the digits recipe."""
    from trainwright.workflows.objectives import objective_values
    from trainwright.workflows.training import RunDirectory, train

    pinned = {"threads": 1, "precision": "fp32", "memory_format": "contiguous"}
    base = {
        "extends": "digits",
        "train": {"steps": 60, "epochs": None, **pinned},
        "report": {"enabled": False, "splits": ["val"]},
    }

    def loss(point: Point) -> float:
        try:
            result = train(base, point, runs_dir=runs)
            return min(objective_values(RunDirectory(result.path), ["val/loss"])[0], 10.0)
        except Exception as error:
            if type(error).__name__ != "Diverged":
                raise
            return 10.0

    return loss


def best_of(search: str, space: Space, function: Function, seed: int, trials: int) -> tuple[float, float]:
    """The least value of so many trials, and the seconds that asking took."""
    found = registry.build("search", search, space=space, directions={"y": "minimize"}, seed=seed)
    history: list[Trial] = []
    asking = 0.0
    for number in range(trials):
        begun = time.perf_counter()
        point = found.ask(number, history)
        asking += time.perf_counter() - begun
        value = function(point)
        history.append(Trial(number, point, TrialState.DONE, (value,), known=number, ended=number + 1))
    return min(trial.values[0] for trial in history if trial.values), asking


def measure(results: Results, work: str, seeds: int, trials: int) -> None:
    """Every search with every seed on one function."""
    with tempfile.TemporaryDirectory() as runs:
        known = {"branin": (BRANIN, branin, 0.397887), "hartmann6": (HARTMANN, hartmann6, -3.32237)}
        space, function, least = known.get(work) or (DIGITS, digits(Path(runs)), None)
        found = {}
        for seed in range(seeds):
            for search in SEARCHES:
                found[search, seed] = best_of(search, space, function, seed, trials)
                print(f"{work} seed {seed} {search}: {found[search, seed][0]:.5g}", flush=True)
    least = min(value for value, _ in found.values()) if least is None else least
    for (search, seed), (value, asking) in found.items():
        values = {"regret": value - least, "best": value, "asking_s": asking}
        results.measurements.append(Measurement(work, search, seed, values))
    for search in SEARCHES[1:]:
        gains = [found["random", seed][0] - found[search, seed][0] for seed in range(seeds)]
        spread = statistics.stdev(gains) if seeds > 1 else 0.0
        print(
            f"{work}: {search} is better than random in {sum(gain > 0 for gain in gains)} of {seeds}, "
            f"by {statistics.fmean(gains):.4g} on average (standard deviation {spread:.4g})"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_regret", description=__doc__)
    parser.add_argument("--work", default="branin,hartmann6")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {name: str(value) for name, value in vars(options).items() if name != "dry"}
    results = Results("tune_regret", settings, now(), machine.describe(), baseline="random")
    for work in options.work.split(","):
        measure(results, work, options.seeds, options.trials)
    finish(results, ("regret", "asking_s"), dry=options.dry)


if __name__ == "__main__":
    main()
