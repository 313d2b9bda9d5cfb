"""The index of one runs folder: what is written of its runs, and what is asked of them."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from operator import itemgetter
from typing import Any, NamedTuple

from trainwright.runs.following import Mark
from trainwright.runs.index.database import Database
from trainwright.runs.index.facts import RunFacts
from trainwright.runs.index.schema import make_tables
from trainwright.runs.listing import RunRow, headline
from trainwright.runs.metrics import MetricRecord, Series

_ROW = ("state", "reason", "step", "epoch", "total_steps", "created", "seconds")
_FACTS = (
    "folder",
    "id",
    "name",
    *_ROW,
    "born",
    "headline",
    "note",
    "live",
    "watched",
    "signature",
    "recipe_signature",
)
_SPOOL = ("spool_offset", "spool_digest")
_DETAILS = ("last_values", "recipe_values", "tags")
_TOGETHER = 1000  # runs in one question
_METRICS = ("run", "key", "step", "attempt", "epoch", "time", "value")


class Entry(NamedTuple):
    """How a run was when the index last looked: what tells whether it has changed since.

    Attributes:
        id: Of the run.
        number: Of the run within the index.
        live: See `RunFacts`.
        files: Those that are watched, one a line.
        signature: See `RunFacts`.
        born: See `RunFacts`.
    """

    id: str
    number: int
    live: int
    files: str
    signature: str
    born: float

    @property
    def watched(self) -> list[str]:
        """See `RunFacts`."""
        return self.files.split("\n")


class RunIndex:
    """Runs of one folder in a database, which may hold those of others too.

    Args:
        database: An open connection.
        folder: What tells the folder from others.
        path: The folder, for the paths of rows.
    """

    def __init__(self, database: Database, folder: str, path: str) -> None:
        self.database, self.folder, self.path = database, folder, path
        make_tables(database)

    def entries(self, ids: Sequence[str] | None = None) -> dict[str, Entry]:
        """Every run that the index knows by id, oldest first; or those with these ids."""
        query = "SELECT id, number, live, watched, signature, born FROM runs WHERE folder = ?"
        if ids is None:
            found = self.database.rows(query, [self.folder])
            found.sort(key=itemgetter(-1, 0))  # they come nearly in order: half of what a database takes
        else:
            found = [
                row for id in ids for row in self.database.rows(f"{query} AND id = ?", [self.folder, id])
            ]
        return {row[0]: Entry._make(row) for row in found}

    def rows(
        self, numbers: Sequence[int], metrics: Mapping[int, dict[str, float]] | None = None
    ) -> dict[int, RunRow]:
        """Rows of runs by their numbers.

        Args:
            numbers: The runs.
            metrics: All that is shown of each; the main ones where nothing is said.
        """
        tags = self.tags()
        columns = ", ".join(("id", *_ROW, "headline", "note"))
        found = {}
        for number, id, state, reason, step, epoch, total, created, seconds, main, note in self._of_runs(
            "runs", "number", columns, numbers
        ):
            found[number] = RunRow(
                *(id, f"{self.path}/{id}", state, reason, step, _epoch(epoch), total, created, seconds),
                metrics=json.loads(main) if metrics is None else metrics.get(number, {}),
                tags=",".join(tags.get(number, ())),
                note=note,
            )
        return found

    def field(self, name: str) -> dict[int, Any]:
        """A field of the row of every run, by number of the run."""
        if name not in (*_ROW, "id", "note"):
            raise KeyError(name)
        found = dict(self.database.rows(f"SELECT number, {name} FROM runs WHERE folder = ?", [self.folder]))
        return {run: _epoch(value) for run, value in found.items()} if name == "epoch" else found

    def recipe_signatures(self) -> dict[int, str]:
        """`RunFacts.recipe_signature` of every run, by number of the run."""
        query = "SELECT number, recipe_signature FROM runs WHERE folder = ?"
        return dict(self.database.rows(query, [self.folder]))

    def numbers(self, ids: Iterable[str]) -> dict[str, int]:
        """Numbers of runs by id, of those that are known."""
        query = "SELECT number FROM runs WHERE folder = ? AND id = ?"
        found = {id: self.database.rows(query, [self.folder, id]) for id in ids}
        return {id: rows[0][0] for id, rows in found.items() if rows}

    def put(self, facts: Sequence[RunFacts]) -> dict[str, int]:
        """Writes what is known of runs; gives their numbers by id."""
        # In one order everywhere, so that two processes wait for each other and never crosswise.
        facts = sorted(facts, key=lambda item: item.row.id)
        rows = [[*self._values(item), 0, ""] for item in facts]
        with self.database.transaction():
            self.database.put("runs", (*_FACTS, *_SPOOL), ("folder", "id"), rows, kept=_SPOOL)
            numbers = self.numbers(item.row.id for item in facts)
            self._clear(numbers.values(), _DETAILS)
            self._put_details(facts, numbers)
            for item in facts:
                self._abandon(numbers[item.row.id], item.resumed_from)
        return numbers

    def remove(self, ids: Iterable[str]) -> None:
        """Forgets runs."""
        with self.database.transaction():
            numbers = self.numbers(sorted(ids))
            self._clear(numbers.values(), ("metrics", *_DETAILS))
            for number in numbers.values():
                self.database.change("DELETE FROM runs WHERE number = ?", [number])

    def mark(self, number: int) -> Mark:
        """How far a run's spool was read."""
        found = self.database.rows("SELECT spool_offset, spool_digest FROM runs WHERE number = ?", [number])
        return Mark(int(found[0][0]), found[0][1]) if found else Mark()

    def take(
        self, number: int, records: Iterable[MetricRecord], mark: Mark, resumed_from: Mapping[int, int]
    ) -> None:
        """Writes records of a run's spool, and with them how far it was read. The same again changes nothing.

        Args:
            number: The run.
            records: In the order of the spool.
            mark: Behind them.
            resumed_from: Attempt -> step at which it went on; what earlier ones did behind it is left out.
        """
        newest: dict[tuple[str, int], list[Any]] = {}
        for record in records:
            if any(record.step > at for attempt, at in resumed_from.items() if attempt > record.attempt):
                continue
            for key, value in record.values.items():
                known = newest.get((key, record.step))
                if known is None or record.attempt >= known[3]:
                    told = (record.attempt, float(record.epoch), record.time, _stored(value))
                    newest[key, record.step] = [number, key, record.step, *told]
        with self.database.transaction():
            # Whoever feeds the same run at the same time waits here.
            self.database.change(
                "UPDATE runs SET spool_offset = ?, spool_digest = ? WHERE number = ?",
                [mark.offset, mark.digest, number],
            )
            rows = [newest[key] for key in sorted(newest)]
            self.database.put(
                "metrics", _METRICS, _METRICS[:3], rows, unless="metrics.attempt > excluded.attempt"
            )

    def abandon(self, number: int, resumed_from: Mapping[int, int]) -> None:
        """Removes what an earlier attempt did behind the step from which a later one went on."""
        with self.database.transaction():
            self._abandon(number, resumed_from)

    def forget_metrics(self, number: int) -> None:
        """Removes a run's curves: its spool is another file than the one that was read."""
        with self.database.transaction():
            self.database.change(
                "UPDATE runs SET spool_offset = 0, spool_digest = '' WHERE number = ?", [number]
            )
            self._clear([number], ("metrics",))

    def series(self, number: int, keys: Sequence[str] | None = None) -> Series:
        """Curves of a run, as `read_metrics` gives them."""
        query = "SELECT step, value FROM metrics WHERE run = ? AND key = ? ORDER BY step"
        keys = self.curve_keys(number) if keys is None else keys
        # One by one, for the rows to be what is wanted: a curve of ten thousand points is a list at once.
        found = {key: self.database.rows(query, [number, key]) for key in keys}
        return {key: _curve(rows) for key, rows in found.items() if rows}

    def curve_keys(self, number: int) -> list[str]:
        """Names of a run's curves; the table's order gives the next one without passing over all steps."""
        query = "SELECT key FROM metrics WHERE run = ? AND key > ? ORDER BY key LIMIT 1"
        keys = [""]
        while found := self.database.rows(query, [number, keys[-1]]):
            keys.append(found[0][0])
        return keys[1:]

    def last_values(self, key: str, numbers: Collection[int]) -> dict[int, float]:
        """A final metric of those of the runs that have it, by number of the run."""
        return {run: _read(value) for run, value in self._column("last_values", key, numbers)}

    def recipe_values(self, key: str, numbers: Collection[int]) -> dict[int, Any]:
        """A recipe value of those of the runs that have it, by number of the run."""
        return {run: json.loads(value) for run, value in self._column("recipe_values", key, numbers)}

    def all_last_values(self, numbers: Sequence[int]) -> dict[int, dict[str, float]]:
        """All final metrics of runs, by number of the run."""
        found: dict[int, dict[str, float]] = {}
        for run, _, key, value in sorted(self._of_runs("last_values", "run", "place, key, value", numbers)):
            found.setdefault(run, {})[key] = _read(value)
        return found

    def tags(self) -> dict[int, list[str]]:
        """Tags by number of the run."""
        found: dict[int, list[str]] = {}
        query = "SELECT d.run, d.tag FROM tags d JOIN runs r ON r.number = d.run WHERE r.folder = ?"
        for run, tag in sorted(self.database.rows(query, [self.folder])):
            found.setdefault(run, []).append(tag)
        return found

    def keys(self) -> list[str]:
        """Names of all final metrics and recipe values that some run has."""
        return [
            key
            for table in ("last_values", "recipe_values")
            for (key,) in self.database.rows(
                f"SELECT DISTINCT d.key FROM {table} d JOIN runs r ON r.number = d.run WHERE r.folder = ?"
                " ORDER BY d.key",
                [self.folder],
            )
        ]

    def close(self) -> None:
        """Ends the connection."""
        self.database.close()

    def _values(self, facts: RunFacts) -> list[Any]:
        row = facts.row
        fields = [getattr(row, name) for name in _ROW]
        return [
            *(self.folder, row.id, _name(facts), *fields, facts.born, json.dumps(headline(row.metrics))),
            *(
                facts.labels.note,
                int(facts.live),
                "\n".join(facts.watched),
                facts.signature,
                facts.recipe_signature,
            ),
        ]

    def _put_details(self, facts: Sequence[RunFacts], numbers: Mapping[str, int]) -> None:
        each = [(numbers[item.row.id], item) for item in facts]
        values = [
            (run, key, place, _stored(value))
            for run, item in each
            for place, (key, value) in enumerate(item.row.metrics.items())
        ]
        values.sort(key=itemgetter(1))  # one key of many runs is read together, so it is written together
        self.database.put("last_values", ("run", "key", "place", "value"), ("run", "key"), values)
        leaves = [(run, key, json.dumps(value)) for run, item in each for key, value in item.recipe.items()]
        leaves.sort(key=itemgetter(1))
        self.database.put("recipe_values", ("run", "key", "value"), ("run", "key"), leaves)
        tags = [(run, tag) for run, item in each for tag in item.labels.tags]
        self.database.put("tags", ("run", "tag"), ("run", "tag"), tags)

    def _clear(self, numbers: Iterable[int], tables: Sequence[str]) -> None:
        for number in numbers:
            for table in tables:
                self.database.change(f"DELETE FROM {table} WHERE run = ?", [number])

    def _abandon(self, number: int, resumed_from: Mapping[int, int]) -> None:
        for attempt, step in resumed_from.items():
            self.database.change(
                "DELETE FROM metrics WHERE run = ? AND attempt < ? AND step > ?", [number, attempt, step]
            )

    def _column(self, table: str, key: str, numbers: Collection[int]) -> list[tuple[Any, ...]]:
        """One key of runs: one piece of the table, where a join would look up each."""
        if not numbers:
            return []
        found = self.database.rows(
            f"SELECT run, value FROM {table} WHERE key = ? AND run BETWEEN ? AND ?",
            [key, min(numbers), max(numbers)],
        )
        known = numbers if isinstance(numbers, Set) else set(numbers)
        return [row for row in found if row[0] in known]

    def _of_runs(
        self, table: str, number: str, columns: str, numbers: Sequence[int]
    ) -> Iterator[tuple[Any, ...]]:
        """Number and columns of rows that belong to some runs."""
        for start in range(0, len(numbers), _TOGETHER):
            part = numbers[start : start + _TOGETHER]
            yield from self.database.rows(
                f"SELECT {number}, {columns} FROM {table} WHERE {number} IN ({', '.join('?' * len(part))})",
                part,
            )


def _epoch(value: float | None) -> float | None:
    return int(value) if value is not None and value.is_integer() else value


def _name(facts: RunFacts) -> str:
    return str(facts.recipe.get("name") or facts.row.id)


def _stored(value: float) -> float | None:
    """SQLite has no NaN."""
    return None if math.isnan(value) else value


def _curve(rows: list[tuple[Any, ...]]) -> list[tuple[int, float]]:
    if None in map(itemgetter(1), rows):
        return [(step, _read(value)) for step, value in rows]
    return rows


def _read(value: float | None) -> float:
    return math.nan if value is None else value
