"""Trainwright: one YAML recipe is checked, trained, resumed, evaluated, reported and used.

    import trainwright as tw

    run = tw.train("digits", {"train.epochs": 3})
    run.predict(["photo.jpg"])
    run = tw.fit(X, y, epochs=20)

Importing this package imports nothing heavy; each name is fetched when it is first used.
"""

from __future__ import annotations

import os

# MKL reads it at its first product. Without it some processors' kernels give a row of a matrix product other
# last bits by where it stands in the batch, and an answer would depend on its neighbours.
os.environ.setdefault("MKL_CBWR", "AUTO")

TYPE_CHECKING = False  # as type checkers know it, without the time that importing typing takes

if TYPE_CHECKING:
    from trainwright.errors import TrainwrightError as TrainwrightError
    from trainwright.log import set_logger as set_logger
    from trainwright.workflows.api import check as check
    from trainwright.workflows.api import continue_run as continue_run
    from trainwright.workflows.api import evaluate as evaluate
    from trainwright.workflows.api import fit as fit
    from trainwright.workflows.api import load as load
    from trainwright.workflows.api import resume as resume
    from trainwright.workflows.api import train as train
    from trainwright.workflows.run import Run as Run

_HOMES = {
    "Run": "trainwright.workflows.run",
    "TrainwrightError": "trainwright.errors",
    "check": "trainwright.workflows.api",
    "evaluate": "trainwright.workflows.api",
    "fit": "trainwright.workflows.api",
    "load": "trainwright.workflows.api",
    "continue_run": "trainwright.workflows.api",
    "resume": "trainwright.workflows.api",
    "set_logger": "trainwright.log",
    "train": "trainwright.workflows.api",
}

__all__ = [
    "Run",
    "TrainwrightError",
    "__version__",
    "check",
    "continue_run",
    "evaluate",
    "fit",
    "load",
    "resume",
    "set_logger",
    "train",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("trainwright")
    if name not in _HOMES:
        raise AttributeError(f"module 'trainwright' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> list[str]:
    return __all__
