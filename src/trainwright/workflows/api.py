"""The Python interface: `import trainwright as tw`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from trainwright import log
from trainwright.progress import ConsoleProgress, NoProgress, ProgressSink
from trainwright.workflows.run import Run

Recipe: TypeAlias = str | Path | Mapping[str, Any]
Overrides: TypeAlias = Mapping[str, Any] | Sequence[str]
Progress: TypeAlias = bool | ProgressSink


def train(
    recipe: Recipe,
    overrides: Overrides = (),
    *,
    data: Any = None,
    runs_dir: str | os.PathLike[str] = "runs",
    fresh: bool = False,
    progress: Progress = True,
) -> Run:
    """Trains a recipe; a finished run of the same recipe and data is given as it is.

    Args:
        recipe: A YAML file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: `{"train.epochs": 3}` or `["train.epochs=3"]`.
        data: `(X, y)`, a mapping of columns, a DataFrame or a torch Dataset in place of the recipe's
            source; also a mapping from `train`, `val`, `test` to any of these.
        runs_dir: Where runs live.
        fresh: A new run, also where one exists already.
        progress: Show progress, or the sink to tell it to.

    Raises:
        UserError: The recipe, the data or the model cannot work; nothing was trained.
        RunError: The run is alive elsewhere, or failed before.
    """
    from trainwright.workflows.training import train as work

    with _watched(progress) as sink:
        result = work(recipe, overrides, data=data, runs_dir=Path(runs_dir), fresh=fresh, progress=sink)
    return Run(result.path, data=data)


def resume(
    run: str | os.PathLike[str] | Run,
    *,
    from_: str = "last",
    data: Any = None,
    runs_dir: str | os.PathLike[str] = "runs",
    progress: Progress = True,
) -> Run:
    """Goes on with an interrupted or failed run.

    Args:
        run: A run, its path, id, name or salt.
        from_: `last` for the exact state, `best` for the best weights with a new optimizer state.
        data: The data again, when the run was trained on data in memory.
        runs_dir: Where runs live.
        progress: Show progress, or the sink to tell it to.

    Raises:
        RunError: There is no such run, it is alive, or its data changed.
    """
    from trainwright.workflows.training import resume as work

    path = load(run, runs_dir=runs_dir).path
    with _watched(progress) as sink:
        result = work(path, from_=from_, progress=sink, data=data)
    return Run(result.path, data=data)


def continue_run(
    run: str | os.PathLike[str] | Run,
    overrides: Overrides = (),
    *,
    from_: Literal["last", "best"] = "last",
    reset_optimizer: bool = False,
    data: Any = None,
    runs_dir: str | os.PathLike[str] = "runs",
    fresh: bool = False,
    progress: Progress = True,
) -> Run:
    """Trains on from a run, with other values or on other data, as a run of its own.

    Args:
        run: The parent, its path, id, name or salt; it stays as it is.
        overrides: `{"train.epochs": 30}` or `["train.epochs=30"]`; epochs count on from the parent's.
        from_: `last` for the last state, `best` for the best weights.
        reset_optimizer: Begin with a new optimizer; else it keeps what it has gathered, under the new rates.
        data: A path to read other data from, or data in memory.
        runs_dir: Where runs live.
        fresh: A new run, also where one exists already.
        progress: Show progress, or the sink to tell it to.

    Raises:
        RunError: The parent is alive, has no checkpoint, or nothing would be left to train.
        UserError: The recipe, the data or the model cannot work.
    """
    from trainwright.workflows.continuing import continue_run as work

    path = load(run, runs_dir=runs_dir).path
    with _watched(progress) as sink:
        result = work(
            path,
            overrides,
            from_=from_,
            reset_optimizer=reset_optimizer,
            data=data,
            runs_dir=Path(runs_dir),
            fresh=fresh,
            progress=sink,
        )
    return Run(result.path, data=None if isinstance(data, str | os.PathLike) else data)


def load(run: str | os.PathLike[str] | Run, *, runs_dir: str | os.PathLike[str] = "runs") -> Run:
    """A run by path, id, name or salt. Raises RunError where that means none or several."""
    from trainwright.runs.listing import find_run

    return run if isinstance(run, Run) else Run(find_run(run, runs_dir))


def evaluate(
    run: str | os.PathLike[str] | Run,
    split: str = "test",
    *,
    data: Any = None,
    runs_dir: str | os.PathLike[str] = "runs",
) -> dict[str, float]:
    """Scores a run; see `Run.evaluate`."""
    return load(run, runs_dir=runs_dir).evaluate(split, data)


def check(recipe: Recipe, overrides: Overrides = ()) -> list[str]:
    """Checks everything that can be checked without training; gives what was found, in words.

    Raises:
        UserError: Something has to change before it can be trained.
    """
    from trainwright.workflows.checking import check as work

    return list(work(recipe, overrides).lines)


def fit(
    X: Any,
    y: Any = None,
    *,
    model: str | Mapping[str, Any] = "mlp",
    epochs: float = 10,
    batch_size: int = 64,
    lr: float = 1e-3,
    validation: float = 0.1,
    overrides: Mapping[str, Any] | None = None,
    name: str = "fit",
    runs_dir: str | os.PathLike[str] = "runs",
    fresh: bool = False,
    progress: Progress = True,
) -> Run:
    """Trains on values in memory without a recipe; the run carries the recipe that was made.

    Args:
        X: An array `[N, features]` or `[N, H, W]` or `[N, H, W, C]`; a DataFrame; or a Dataset of
            `(x, y)` items.
        y: Labels or numbers `[N]` or `[N, K]`; with a DataFrame also the name of its target column;
            None with a Dataset. Text and whole numbers are classes, other numbers are predicted.
        model: A model's name, or a mapping with its parameters.
        epochs: Passes over the training part.
        batch_size: Samples of a step.
        lr: Learning rate of AdamW.
        validation: Share of the rows that is kept for validation.
        overrides: Any other value of the recipe, such as `{"train.ema.decay": 0.99}`.
        name: Name of the run.
        runs_dir: Where runs live.
        fresh: A new run, also where one exists already.
        progress: Show progress, or the sink to tell it to.

    Raises:
        UserError: The data or the model cannot work; nothing was trained.
    """
    from trainwright.workflows.fitting import recipe_for

    recipe, data = recipe_for(X, y, model=model, validation=validation, name=name)
    recipe["train"] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": {"name": "adamw", "lr": lr},
    }
    return train(recipe, overrides or {}, data=data, runs_dir=runs_dir, fresh=fresh, progress=progress)


class _watched:
    """Gives the progress sink of a call, closes it, and tells the user's error handler of a failure."""

    def __init__(self, progress: Progress) -> None:
        log.configure_once()
        if isinstance(progress, bool):
            self.sink: ProgressSink = ConsoleProgress() if progress else NoProgress()
        else:
            self.sink = progress

    def __enter__(self) -> ProgressSink:
        return self.sink

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.sink.close()
        if error is not None:
            log.report_error(error)
