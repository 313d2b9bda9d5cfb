"""From the recipe's data section to encoded columns, splits and fitted processors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainwright.data import splits as splitting
from trainwright.data.columns import PlannedColumn, build_source, plan_columns
from trainwright.data.encoding import encode_column, refuse_or_drop
from trainwright.data.processors.category import factorise
from trainwright.data.sources.base import LazySequence
from trainwright.data.types import Dropped, PreparedData, Source, Values

if TYPE_CHECKING:
    from trainwright.recipe.schema import Data

Progress = Callable[[str, int, int], None]


def prepare(
    data: Data,
    *,
    cache_dir: Path,
    workers: int | Literal["auto"] = "auto",
    progress: Progress | None = None,
    memory_data: Any = None,
    seed: int = 0,
) -> PreparedData:
    """Reads, splits, fits and encodes everything a run needs, before its first step.

    Args:
        data: The recipe's data section, loaded and with defaults filled in.
        cache_dir: Folder of decoded values and file digests, shared by all runs.
        workers: Processes that decode; `auto` is the number of cores.
        progress: Called with the name of a stage, items done and items in all.
        memory_data: Data given in Python in place of the recipe's source.
        seed: The run's seed.

    Returns:
        The prepared data.

    Raises:
        DataError: The data cannot be read as the recipe says.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "source"):
        source = build_source(data, memory_data)
        columns = plan_columns(data, source, in_memory=memory_data is not None)
        names = source.sample_names()
    with _timed(seconds, "split"):
        chosen = splitting.choose(len(source), data.split, source.splits(), _labels(columns))
    arrays, dropped = _encode(columns, source, chosen, data, seconds)
    for column in columns:
        if column.is_target and column.processor.type == "category":
            spec = column.processor.spec()
            splitting.check_classes(column.name, spec.classes, arrays[column.name], chosen)
    return PreparedData(
        arrays=arrays,
        splits=chosen,
        names=names,
        inputs={column.name: column.processor for column in columns if not column.is_target},
        targets={column.name: column.processor for column in columns if column.is_target},
        dropped=dropped,
        seconds=seconds,
        notices=list(source.notices),
    )


def _encode(
    columns: list[PlannedColumn],
    source: Source,
    chosen: dict[str, np.ndarray],
    data: Data,
    seconds: dict[str, float],
) -> tuple[dict[str, np.ndarray], list[Dropped]]:
    """Fits and encodes every column; takes dropped rows out of `chosen` and fits once more without them."""
    arrays: dict[str, np.ndarray] = {}
    bad: list[Dropped] = []
    names = source.sample_names()
    for column in columns:
        with _timed(seconds, "fit"):
            fit_on_raw(column, chosen["train"])
        with _timed(seconds, "decode"):
            arrays[column.name], faults = encode_column(column, names)
        bad += faults
    dropped = refuse_or_drop(bad, source.faults, len(source), data.on_bad)
    gone = np.unique([item.row for item in dropped if item.row >= 0]).astype(np.int64)
    for name in chosen if len(gone) else ():
        chosen[name] = np.setdiff1d(chosen[name], gone, assume_unique=True)
    splitting.check_not_empty(chosen)
    for column in columns:
        if len(gone) and column.processor.needs_fit and not column.processor.fits_on_encoded:
            column.processor.fit(take(column.values, chosen["train"]))
            arrays[column.name], _ = encode_column(column, names)
        if column.processor.fits_on_encoded:
            with _timed(seconds, "fit"):
                column.processor.fit(arrays[column.name][chosen["train"]])
    return arrays, dropped


def fit_on_raw(column: PlannedColumn, train: np.ndarray) -> None:
    """Lets a processor learn what it needs before it can encode."""
    values = take(column.values, train)
    column.processor.inspect(values)
    if column.processor.needs_fit and not column.processor.fits_on_encoded:
        column.processor.fit(values)


def take(values: Values, rows: np.ndarray) -> Values:
    """The raw values of some rows."""
    if isinstance(values, np.ndarray):
        return values[rows]
    return LazySequence(len(rows), lambda place: values[int(rows[place])])


def _labels(columns: list[PlannedColumn]) -> np.ndarray | None:
    """Class of every row where there is one category target, to keep proportions; -1 where missing."""
    found = [column for column in columns if column.is_target and column.processor.type == "category"]
    if len(found) != 1:
        return None
    names, places = factorise(found[0].values)
    distinct = {name: place for place, name in enumerate(dict.fromkeys(names))}
    ids = np.array([-1 if name is None else distinct[name] for name in names], dtype=np.int64)
    return ids[places]


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
