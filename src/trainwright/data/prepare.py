"""From the recipe's data section to encoded columns, splits and fitted processors."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainwright.data import addressed, fingerprint
from trainwright.data import splits as splitting
from trainwright.data.blocks import evenly_spaced
from trainwright.data.cache import JsonCache
from trainwright.data.columns import PlannedColumn, build_source, column_of, key_path, link, plan_columns
from trainwright.data.encoding import encode_rows, stored_form
from trainwright.data.faults import refuse_or_drop
from trainwright.data.fixes import FixedSource, read_fixes
from trainwright.data.measures import numbers
from trainwright.data.misfits import add_misfits
from trainwright.data.processors.category import factorise
from trainwright.data.retry import Retry
from trainwright.data.stored_rows import StoredRows, take
from trainwright.data.storing import ColumnStore, Stored, worker_count
from trainwright.data.substitutes import Substitutes
from trainwright.data.types import DataInfo, Dropped, PreparedData, Processor, Source, Values
from trainwright.errors import DataError, UserError

if TYPE_CHECKING:
    from trainwright.recipe.schema import Data

Progress = Callable[[str, int, int], None]
_PLACES = ("root", "path", "image_root")  # where data lie is no part of what they are
_FITTED_ON = 2048  # training samples that statistics of a column come from when nothing is kept


def prepare(
    data: Data,
    *,
    cache_dir: Path,
    workers: int | Literal["auto"] = "auto",
    progress: Progress | None = None,
    memory_data: Any = None,
    seed: int = 0,
    processors: Mapping[str, Processor] | None = None,
    whole: str | None = None,
    before_decoding: Callable[[DataInfo], None] | None = None,
) -> PreparedData:
    """Reads, splits, fits and encodes everything a run needs, before its first step.

    Args:
        data: The recipe's data section, loaded and with defaults filled in.
        cache_dir: Folder of decoded values and file digests, shared by all runs.
        workers: Processes that decode; `auto` is the number of cores.
        progress: Called with the name of a stage (`fingerprint`, `decode`), units done and in all.
        memory_data: Data given in Python in place of the recipe's source: `(x, y)`, a mapping of
            columns, a DataFrame, a dataset, or a mapping of splits to these.
        seed: The run's seed; addresses the samples that a fit on part of the data looks at.
        processors: Fitted processors of a trained run by column name, used as they are; then the data
            need no training split.
        whole: Split that takes all rows, instead of dividing them.
        before_decoding: Called when rows and shapes are known and nothing has been decoded; what it raises
            ends the preparation.

    Returns:
        The prepared data.

    Raises:
        DataError: The data cannot be read as the recipe says.
    """
    work = _Preparation(data, cache_dir, workers, progress, memory_data, seed, processors or {}, whole)
    return work.run(before_decoding)


class _Preparation:
    """The steps of `prepare`, in order, with what they hand on to each other."""

    def __init__(
        self,
        data: Data,
        cache_dir: Path,
        workers: int | Literal["auto"],
        progress: Progress | None,
        memory_data: Any,
        seed: int,
        processors: Mapping[str, Processor],
        whole: str | None,
    ) -> None:
        self.whole = whole
        self.data, self.cache_dir, self.progress, self.seed = data, cache_dir, progress, seed
        self.memory_data = memory_data
        self.workers = worker_count(workers)
        self.retry = Retry(data.on_bad.reads, data.on_bad.wait)
        self.seconds: dict[str, float] = {}
        self._fits = JsonCache(cache_dir / "fits")
        self._known: set[str] = set()
        self._processors = processors
        self._left_out: list[Dropped] = []
        self._fixes_digest = ""

    def run(self, before_decoding: Callable[[DataInfo], None] | None) -> PreparedData:
        """Every step in turn. Raises DataError where the data cannot be read as the recipe says."""
        with self._timed("source"):
            self._open()
        with self._timed("fingerprint"):
            digest = self._fingerprint()
        with self._timed("split"):
            self.splits = self._split()
        self._first_train = self.splits.get("train", np.zeros(0, dtype=np.int64))
        self.identity = self._identity(digest)
        self.notices = list(self.source.notices)
        self._leave_out(self._left_out)
        self.store = ColumnStore(
            self.cache_dir,
            self.identity,
            self.workers,
            self.data.cache == "none",
            self.progress,
            self.notices,
            self.retry,
        )
        for column in self._ordered:
            with self._told_at(column), self._timed("fit"):
                if column.name not in self._known:
                    self._settle(column)
                self.store.notices += getattr(column.processor, "survey", _nothing)(column.values)
        if before_decoding is not None:
            before_decoding(DataInfo.of(self._processors_of(False), self._processors_of(True), self.splits))
        stored = {}
        for column in self._ordered:
            with self._told_at(column), self._timed("decode"):
                stored[column.name] = self.store.store(column)
        dropped = self._drop(stored)
        with self._timed("fit"):
            for column in self.columns:
                self._finish(column, stored, bool(dropped))
            if add_misfits(self.columns, stored, self.store):
                dropped = self._drop(stored)
        if not self._is_fitted:
            self._check_classes(stored)
        return self._prepared(digest, stored, dropped)

    def _open(self) -> None:
        """Opens the source and plans its columns; processors that are known already take their places."""
        self.source: Source = self._build_source()
        self.columns = plan_columns(self.data, self.source, in_memory=self.memory_data is not None)
        for column in self.columns:
            if column.name in self._processors:
                column.processor = self._processors[column.name]
                self._known.add(column.name)
        self._ordered = link(self.columns)

    def _prepared(self, digest: str, stored: Mapping[str, Stored], dropped: list[Dropped]) -> PreparedData:
        """Everything that was found, as it is handed on."""
        slow = [stored[column.name] for column in self.columns if column.slow]
        return PreparedData(
            arrays={name: item.values for name, item in stored.items() if item.values is not None},
            splits=self.splits,
            names=self.source.sample_names(),
            inputs=self._processors_of(False),
            targets=self._processors_of(True),
            dropped=[*self._left_out, *dropped],
            fingerprint=digest,
            seconds=self.seconds,
            cached=bool(slow) and all(item.cached for item in slow),
            streamed={
                column.name: column.values for column in self.columns if stored[column.name].values is None
            },
            workers=self.workers,
            notices=self.notices,
            source=self.source,
            columns=self.columns,
            groups=self._groups(),
            left_out=self._left_out,
            sampled=self._sampled(),
            weights=self._weights(),
            retry=self.retry,
            substitutes=self._substitutes(dropped),
        )

    def _processors_of(self, targets: bool) -> dict[str, Processor]:
        return {column.name: column.processor for column in self.columns if column.is_target is targets}

    def _substitutes(self, dropped: list[Dropped]) -> Substitutes | None:
        """What stands in for samples that become unreadable, where the recipe lets them be skipped."""
        if self.data.on_bad.policy != "skip" or self._is_fitted:
            return None
        gone = len({(item.row, item.name) for item in dropped})
        allowed = int(self.data.on_bad.limit * len(self.source)) - gone
        return Substitutes(self.splits, self.source.sample_names(), self.seed, max(0, allowed))

    def _sampled(self) -> dict[str, Values]:
        """Raw values of the column that the sampler names."""
        name = self.data.sampler.get("column")
        if name is None or self._is_fitted:
            return {}
        return {name: self.source.column(column_of(self.source, name, "data.sampler.column"))}

    def _weights(self) -> np.ndarray | None:
        """Weight of every row in the loss, float32 `[N]`; None where the recipe names none."""
        if self.data.weights is None or self._is_fitted:
            return None
        name = column_of(self.source, self.data.weights, "data.weights")
        weights = numbers(self.source.column(name)).astype(np.float32)
        train = weights[self.splits["train"]]
        bad = ~(np.isfinite(train) & (train >= 0))
        if bad.any():
            row = self.splits["train"][bad][0]
            raise DataError(
                f"{bad.sum()} of {len(train)} training samples have a weight that is no number from 0 up",
                where=f"data.weights: column {name}",
                why=f"{self.source.sample_names()[row]} has {weights[row]:g}",
                fix="mend the column; a weight of 0 keeps a sample out of the loss",
            )
        return weights

    def _build_source(self) -> Source:
        try:
            source = build_source(self.data, self.memory_data)
            if self.data.fixes is None:
                return source
            fixes, self._fixes_digest = read_fixes(self.data.fixes)
            mended = FixedSource(source, fixes)
            self._left_out = mended.left_out
            return mended
        except DataError as error:
            if not error.where.startswith("data"):
                error.where = f"data.source: {error.where}".removesuffix(": ")
            raise

    @property
    def _is_fitted(self) -> bool:
        """Whether every processor comes from a trained run, so that nothing has to be learned."""
        return all(column.name in self._processors for column in self.columns)

    def _split(self) -> dict[str, np.ndarray]:
        if self.whole is not None:
            return {self.whole: np.arange(len(self.source))}
        return splitting.choose(
            len(self.source),
            self.data.split,
            self.source.splits(),
            _labels(self.columns),
            fitted=self._is_fitted,
            groups=self._groups(),
        )

    def _groups(self) -> Values | None:
        name = self.data.split.group if self.data.split is not None else None
        if name is None:
            return None
        return np.asarray(self.source.column(column_of(self.source, name, "data.split.group")))

    def _leave_out(self, dropped: list[Dropped]) -> None:
        """Takes rows out of every split."""
        gone = np.array(sorted({item.row for item in dropped if item.row >= 0}), dtype=np.int64)
        if len(gone):
            self.splits = {
                name: rows[~np.isin(rows, gone, assume_unique=True)] for name, rows in self.splits.items()
            }
            splitting.check_not_empty(self.splits, fitted=self._is_fitted)

    def _fingerprint(self) -> str:
        digest = self._source_digest()
        if not self._fixes_digest:
            return digest
        return hashlib.sha256(f"{digest} {self._fixes_digest}".encode()).hexdigest()

    def _source_digest(self) -> str:
        files = self.source.files()
        if files:
            return fingerprint.digest_files(files, self.cache_dir, self.progress, self.retry)
        return fingerprint.digest_values({name: self.source.column(name) for name in self.source.columns})

    def _identity(self, digest: str) -> dict[str, Any]:
        """What decides which rows there are and what they hold, wherever the files lie."""
        source = {name: value for name, value in self.data.source.items() if name not in _PLACES}
        return {"fingerprint": digest, "source": source if self.memory_data is None else "memory"}

    @contextmanager
    def _told_at(self, column: PlannedColumn) -> Iterator[None]:
        """Within it, an error without a place, or with one below its column, is told at the column."""
        try:
            yield
        except UserError as error:
            if error.where in ("", "data") or error.where.startswith("."):
                below = error.where.removeprefix("data")
                error.where = key_path(column.name, is_target=column.is_target) + below
            raise

    def _settle(self, column: PlannedColumn) -> None:
        known = self._fits.find(self._fit_key(column)) if column.processor.fits_on_encoded else None
        if known is not None:
            column.processor = type(column.processor).from_state(known)
            self._known.add(column.name)
            return
        if column.picture is not None:
            column.processor.follow(column.picture.processor.geometry)  # type: ignore[attr-defined]
        values = self._fitted_on(column)
        column.processor.inspect(values)
        if column.processor.needs_fit and not column.processor.fits_on_encoded:
            column.processor.fit(values)

    def _fitted_on(self, column: PlannedColumn) -> Values:
        """Raw training values that a processor is fitted on: all of them, or evenly spaced ones."""
        rows = self.splits["train"]
        if not getattr(column.processor, "fits_on_all", False) and len(rows) > self.data.fit_rows:
            said = f"{column.name}: fitted on {self.data.fit_rows:,} of {len(rows):,} training rows"
            if said not in self.notices:
                self.notices.append(said)
            rows = evenly_spaced(rows, self.data.fit_rows)
        return take(column.values, rows)

    def _drop(self, stored: dict[str, Stored]) -> list[Dropped]:
        """Applies the recipe's policy to bad samples and takes them out of the splits."""
        names = self.source.sample_names()
        left_out = {item.row for item in self._left_out}
        bad = [
            Dropped(row, names[row], column, reason)
            for column, item in stored.items()
            for row, reason in item.bad
            if row not in left_out
        ]
        dropped = refuse_or_drop(bad, self.source.faults, len(self.source), self.data.on_bad)
        self._leave_out(dropped)
        return dropped

    def _finish(self, column: PlannedColumn, stored: dict[str, Stored], dropped: bool) -> None:
        """Fits what is fitted on stored values, and anew what was fitted on rows that are dropped now."""
        processor = column.processor
        if column.name in self._known or not processor.needs_fit:
            return
        if processor.fits_on_encoded:
            if getattr(processor, "learns", True):
                processor.fit(self._training_values(column, stored[column.name].values))
            if not dropped:  # what is missing now may be there the next time, and then counts
                self._fits.store(self._fit_key(column), processor.state())
        elif dropped:
            processor.fit(self._fitted_on(column))
            stored[column.name] = self.store.store(column)

    def _training_values(self, column: PlannedColumn, values: np.ndarray | None) -> Any:
        """Stored training values, lazily; of columns that are not kept, an addressed sample of them."""
        train = self.splits["train"]
        if values is not None:
            return StoredRows(values, train)
        chosen = train[addressed.order(addressed.key("fit", self.seed), train)[:_FITTED_ON]]
        shape, dtype = stored_form(column.processor, column.values, self.retry)
        raws = map(column.values.__getitem__, chosen.tolist())
        encoded, bad = encode_rows(column.processor, raws, len(chosen), shape, dtype, self.retry)
        return np.delete(encoded, [place for place, _ in bad], axis=0)

    def _fit_key(self, column: PlannedColumn) -> dict[str, Any]:
        """What decides the fit; the rows are those before any are dropped, which follows from the rest."""
        rows = hashlib.sha256(np.ascontiguousarray(self._first_train).data).hexdigest()
        columns = [*self.data.inputs.items(), *self.data.targets.items()]
        return {
            **self.identity,
            "column": column.name,
            "classes": list(map(str, getattr(self.source, "class_names", ()))),
            "rows": rows,
            "columns": [[name, item.model_dump(mode="json")] for name, item in columns],
            "cache": [self.data.cache, self.seed] if self.data.cache == "none" else "auto",
        }

    def _check_classes(self, stored: dict[str, Stored]) -> None:
        for column in self.columns:
            values = stored[column.name].values
            if column.is_target and column.processor.type == "category" and values is not None:
                classes = column.processor.spec().classes
                splitting.check_classes(column.name, classes, values, self.splits)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def _nothing(values: Values) -> list[str]:
    """For processors of a user that survey nothing."""
    return []


def _labels(columns: list[PlannedColumn]) -> np.ndarray | None:
    """Class of every row where there is one category target, to keep proportions; -1 where missing."""
    found = [column for column in columns if column.is_target and column.processor.type == "category"]
    if len(found) != 1:
        return None
    names, places = factorise(found[0].values)
    distinct = {name: place for place, name in enumerate(dict.fromkeys(names))}
    dtype = np.int16 if len(distinct) < np.iinfo(np.int16).max else np.int64
    ids = np.array([-1 if name is None else distinct[name] for name in names], dtype=dtype)
    return ids[places]
