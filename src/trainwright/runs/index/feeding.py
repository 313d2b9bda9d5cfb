"""Feeding the index while a run is at work, from a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainwright.runs.directory import RunDirectory
from trainwright.runs.following import Follower, Mark, fits
from trainwright.runs.index.facts import read_facts
from trainwright.runs.index.place import index_place
from trainwright.runs.index.runs_table import RunIndex
from trainwright.runs.index.syncing import open_index
from trainwright.runs.metrics import MetricRecord

_PATIENCE = 5.0  # seconds that another process may keep the index, before it is tried again later
_LAST = 10.0  # seconds that the end of a run waits for the index; whoever reads it next reads the rest


class IndexFeed:
    """Takes a run's metrics into the index; what is missed is read by whoever opens the index next.

    Args:
        place: Where the index is.
        run: The run. Its record may not be there yet.
    """

    def __init__(self, place: str, run: RunDirectory) -> None:
        self._place, self._run = place, run
        self._index: RunIndex | None = None
        self._number = 0
        self._resumed_from: dict[int, int] = {}

    def remembered(self) -> Mark:
        """Where the index stands. Opens it, also again after a failure."""
        self._close()
        self._index = open_index(self._place, self._run.path.parent, patience=_PATIENCE)
        self._tell(self._index)
        mark = self._index.mark(self._number)
        if not fits(self._run.metrics_file, mark):
            self._index.forget_metrics(self._number)
            mark = Mark()
        return mark

    def take(self, records: Sequence[MetricRecord], mark: Mark) -> None:
        """Writes records, and the mark with them, in one transaction."""
        assert self._index is not None
        resumed_from = self._run.record().resumed_from
        if resumed_from != self._resumed_from:
            self._tell(self._index)
        self._index.take(self._number, records, mark, resumed_from)

    def end(self) -> None:
        """Writes what has become of the run."""
        assert self._index is not None
        self._tell(self._index)
        self._close()

    def _tell(self, index: RunIndex) -> None:
        facts = read_facts(self._run)
        self._number, self._resumed_from = index.put([facts])[self._run.id], facts.resumed_from

    def _close(self) -> None:
        index, self._index = self._index, None
        if index is not None:
            index.close()


@contextmanager
def feeding(run: RunDirectory) -> Iterator[None]:
    """Feeds the index with what the run writes meanwhile. An index that is slow or gone holds up nothing."""
    place = index_place(Path(run.path).parent)
    if place is None:
        yield
        return
    follower = Follower(run.metrics_file, IndexFeed(place, run), name="the index of runs").start()
    try:
        yield
    finally:
        follower.close(_LAST)
