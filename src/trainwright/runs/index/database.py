"""One connection to SQLite or PostgreSQL, through the driver itself.

SQLAlchemy would be half a second before the first question is asked; what is asked here is the SQL that both
understand, with `?` where a value goes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trainwright.errors import UserError
from trainwright.runs.index.place import FILE_SCHEME, SERVERS
from trainwright.runs.lock import on_network

_VALUES = 30_000  # in one statement; SQLite takes 32,766, PostgreSQL 65,535
_CONNECT = 5  # seconds to reach a server


class IndexUnavailable(UserError):
    """The index cannot be opened, read or written now. Whatever it holds is in the run directories too."""


class Database:
    """A connection; one thread at a time.

    Args:
        place: See `index_place`.
        patience: Seconds that another process may keep it.

    Raises:
        IndexUnavailable: It cannot be opened.
    """

    def __init__(self, place: str, *, patience: float = 60.0) -> None:
        self.place = place
        self.is_server = place.startswith(SERVERS)
        self._errors: tuple[type[Exception], ...]
        self._connection: Any
        if self.is_server:
            self._open_server(patience)
        else:
            self._open_file(place.removeprefix(FILE_SCHEME), patience)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query gives."""
        with self._told():
            return list(self._execute(statement, values).fetchall())

    def change(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that gives nothing."""
        with self._told():
            self._execute(statement, values)

    def put(
        self,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        kept: Sequence[str] = (),
        unless: str = "",
    ) -> None:
        """Writes rows; one that is there under the same key is replaced.

        Args:
            table: The table.
            columns: Its columns, in the order of the values.
            key: Columns that tell rows apart; no two of `rows` may agree in them.
            rows: Values.
            kept: Columns that stay as they are in a row that is there.
            unless: Condition under which the row that is there stays.
        """
        size = max(1, _VALUES // len(columns))
        marks = f"({', '.join('?' * len(columns))})"
        others = [f"{name} = excluded.{name}" for name in columns if name not in (*key, *kept)]
        then = f"UPDATE SET {', '.join(others)}" if others else "NOTHING"
        end = (
            f"ON CONFLICT ({', '.join(key)}) DO {then}{f' WHERE NOT ({unless})' if unless and others else ''}"
        )
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            self.change(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * len(part))} {end}",
                [value for row in part for value in row],
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        # In SQLite a transaction that reads first could find the file taken when it comes to write.
        self.change("BEGIN" if self.is_server else "BEGIN IMMEDIATE")
        try:
            yield
            self.change("COMMIT")
        except BaseException:
            with suppress(*self._errors):  # a lost connection has rolled back already
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything that is read inside is of one moment."""
        self.change("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.is_server else "BEGIN DEFERRED")
        try:
            yield
        finally:
            with suppress(*self._errors):
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _execute(self, statement: str, values: Sequence[Any]) -> Any:
        if self.is_server:
            # Numbers as they are in memory: as text a table of runs takes twice as long to read.
            return self._connection.execute(statement.replace("?", "%s"), values or None, binary=True)
        return self._connection.execute(statement, values)

    def _open_file(self, path: str, patience: float) -> None:
        self._errors = (sqlite3.Error,)
        if Path(path).exists() and not Path(path).is_file():
            raise IndexUnavailable(
                "an index is a file", where=path, fix="give another place with --index, or none"
            )
        with self._told():
            self._connection = sqlite3.connect(
                os.fspath(Path(path)), timeout=patience, isolation_level=None, check_same_thread=False
            )
            # The shared memory of a write-ahead log reaches no other machine.
            self._connection.execute(f"PRAGMA journal_mode = {'DELETE' if on_network(path) else 'WAL'}")
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def _open_server(self, patience: float) -> None:
        import psycopg

        self._errors = (psycopg.Error,)
        url = "postgresql://" + self.place.split("://", 1)[1]
        milliseconds = int(patience * 1000)
        with self._told():
            self._connection = psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=_CONNECT,
                options=f"-c lock_timeout={milliseconds} -c statement_timeout=0",
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise IndexUnavailable(
                "the index of runs cannot be used",
                where=_without_password(self.place),
                why=" ".join(str(error).split()),
                fix=f"{self._way_on()}; `--index none` does without",
            ) from error

    def _way_on(self) -> str:
        if self.is_server:
            return "see whether the server answers, and takes this name and password"
        folder = Path(self.place.removeprefix(FILE_SCHEME)).parent
        if not folder.is_dir():
            return f"make the folder {folder}"
        return "`trainwright runs index --rebuild` makes it anew"


def _without_password(place: str) -> str:
    scheme, found, rest = place.partition("://")
    if not found or "@" not in rest:
        return place
    user, _, address = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}@{address}"
