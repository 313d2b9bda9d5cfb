"""The index of one runs folder: what is written of its runs, and what is asked of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
_METRICS = ("run", "key", "step", "attempt", "epoch", "time", "value")


@dataclass(frozen=True, slots=True)
class Entry:
    """A run as it was when the index last looked.

    Attributes:
        number: Of the run within the index.
        path: Directory.
        columns: What its row is made of, as it is stored.
        live: See `RunFacts`.
        signature: The same.
        files: Those that are watched, one a line.
        recipe_signature: The same.
    """

    number: int
    path: str
    columns: tuple[Any, ...]
    live: bool
    files: str
    signature: str
    recipe_signature: str

    @property
    def watched(self) -> list[str]:
        """See `RunFacts`."""
        return self.files.split("\n")

    @property
    def row(self) -> RunRow:
        """Its row, with the main metrics only; made when asked, since of 10,000 runs few may be shown."""
        id, state, reason, step, epoch, total, created, seconds, headline_ = self.columns
        return RunRow(
            id=id,
            path=self.path,
            state=state,
            reason=reason,
            step=step,
            epoch=int(epoch) if epoch is not None and epoch.is_integer() else epoch,
            total_steps=total,
            created=created,
            seconds=seconds,
            metrics=json.loads(headline_),
        )


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
        columns = (
            "number",
            "id",
            *_ROW,
            "headline",
            "live",
            "watched",
            "signature",
            "recipe_signature",
        )
        query = f"SELECT {', '.join(columns)} FROM runs WHERE folder = ?"
        if ids is None:
            found = self.database.rows(f"{query} ORDER BY born, id", [self.folder])
        else:
            found = [
                row for id in ids for row in self.database.rows(f"{query} AND id = ?", [self.folder, id])
            ]
        return {row[1]: self._entry(row) for row in found}

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
        query, values = "SELECT key, step, value FROM metrics WHERE run = ?", [number]
        some = f" AND key IN ({', '.join('?' * len(keys))})" if keys else ""
        found: Series = {}
        for key, step, value in self.database.rows(
            f"{query}{some} ORDER BY key, step", [*values, *(keys or ())]
        ):
            found.setdefault(key, []).append((step, _read(value)))
        return found

    def last_values(self, key: str) -> dict[int, float]:
        """A final metric of every run that has it, by number of the run."""
        return {run: _read(value) for run, value in self._of_all("last_values", key)}

    def recipe_values(self, key: str) -> dict[int, Any]:
        """A recipe value of every run that has it, by number of the run."""
        return {run: json.loads(value) for run, value in self._of_all("recipe_values", key)}

    def all_last_values(self, numbers: Sequence[int] | None = None) -> dict[int, dict[str, float]]:
        """All final metrics, of all runs or of some."""
        found: dict[int, dict[str, float]] = {}
        for run, _, key, value in self._details("last_values", "place, key, value", numbers):
            found.setdefault(run, {})[key] = _read(value)
        return found

    def notes(self) -> dict[int, str]:
        """Notes by number of the run, of those that have one."""
        query = "SELECT number, note FROM runs WHERE folder = ? AND note <> ''"
        return dict(self.database.rows(query, [self.folder]))

    def tags(self) -> dict[int, list[str]]:
        """Tags by number of the run."""
        found: dict[int, list[str]] = {}
        for run, tag in self._details("tags", "tag", None):
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

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        return Entry(row[0], f"{self.path}/{row[1]}", row[1:10], bool(row[10]), row[11], row[12], row[13])

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
        self.database.put("last_values", ("run", "key", "place", "value"), ("run", "key"), values)
        leaves = [(run, key, json.dumps(value)) for run, item in each for key, value in item.recipe.items()]
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

    def _of_all(self, table: str, key: str) -> list[tuple[Any, ...]]:
        return self.database.rows(
            f"SELECT d.run, d.value FROM runs r JOIN {table} d ON d.run = r.number AND d.key = ?"
            " WHERE r.folder = ?",
            [key, self.folder],
        )

    def _details(self, table: str, columns: str, numbers: Sequence[int] | None) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT d.run, {columns} FROM {table} d JOIN runs r ON r.number = d.run WHERE r.folder = ?"
        order = f" ORDER BY d.run, {columns.partition(',')[0]}"
        if numbers is None:
            yield from self.database.rows(query + order, [self.folder])
            return
        for number in numbers:
            yield from self.database.rows(f"{query} AND r.number = ?{order}", [self.folder, number])


def _name(facts: RunFacts) -> str:
    return str(facts.recipe.get("name") or facts.row.id)


def _stored(value: float) -> float | None:
    """SQLite has no NaN."""
    return None if math.isnan(value) else value


def _read(value: float | None) -> float:
    return math.nan if value is None else value
