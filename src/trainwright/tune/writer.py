"""One thread that writes: whatever waits when it comes round is committed together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from trainwright.errors import MissingExtra, UserError

Result = TypeVar("Result")
_BUSY = 60.0  # seconds that another process may keep the file


def open_engine(place: str | Path) -> Engine:
    """The database at a path (SQLite) or a URL.

    SQLite keeps a write-ahead log: what is committed outlives the process, however it ends. A power failure
    may undo the last commits, never damage the file; the runs of those trials are found again.

    Raises:
        UserError: The URL is none, or its driver is not installed.
    """
    url = str(place) if "://" in str(place) else f"sqlite:///{Path(place).absolute()}"
    for scheme in ("postgresql://", "postgres://"):  # without a driver SQLAlchemy takes psycopg2
        url = url.replace(scheme, "postgresql+psycopg://", 1) if url.startswith(scheme) else url
    try:
        engine = create_engine(url)
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "postgres") from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise UserError(
            f"{url!r} is no address of a database", why=str(error), fix="give a file, or postgresql://..."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    connection.execute(f"PRAGMA busy_timeout = {int(_BUSY * 1000)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes then could otherwise find the file taken between the two.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class Writer:
    """Runs functions of a connection one after the other, as many as wait in one transaction.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[tuple[Callable[[Connection], Any], Future[Any]] | None]
        self._waiting = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="study-writer", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[Connection], Result]) -> Future[Result]:
        """Runs `call`; the future has its result once that is committed."""
        future: Future[Result] = Future()
        self._waiting.put((call, future))
        return future

    def do(self, call: Callable[[Connection], Result]) -> Result:
        """Runs `call` and waits until it is committed."""
        return self.submit(call).result()

    def close(self) -> None:
        """Commits what waits, and ends."""
        self._waiting.put(None)
        self._thread.join()
        self._engine.dispose()

    def _work(self) -> None:
        try:
            connection = self._engine.connect()
        except BaseException as error:
            self._refuse(_told(error, self._engine.url))
            return
        with connection:
            while True:
                batch, last = self._batch()
                if batch:
                    self._commit(connection, batch)
                if last:
                    return

    def _refuse(self, error: BaseException) -> None:
        """Answers everything with the reason why the database cannot be opened."""
        while True:
            batch, last = self._batch()
            for _, future in batch:
                future.set_exception(error)
            if last:
                return

    def _batch(self) -> tuple[list[tuple[Callable[[Connection], Any], Future[Any]]], bool]:
        items = [self._waiting.get()]
        while not self._waiting.empty():
            items.append(self._waiting.get())
        return [item for item in items if item is not None], None in items

    def _commit(
        self, connection: Connection, batch: list[tuple[Callable[[Connection], Any], Future[Any]]]
    ) -> None:
        """One transaction for all; where one of them fails, each gets its own."""
        try:
            with connection.begin():
                results = [call(connection) for call, _ in batch]
        except BaseException as error:
            if len(batch) == 1:
                batch[0][1].set_exception(_told(error, self._engine.url))
                return
            for item in batch:
                self._commit(connection, [item])
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)


def _told(error: BaseException, url: URL) -> BaseException:
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return error
    why, is_file = str(error.orig or error).strip(), url.get_backend_name() == "sqlite"
    where = str(url.database) if is_file else url.render_as_string(hide_password=True)
    if "is not a database" in why:
        return UserError("the file is no study", where=where, why=why, fix="give another name to the study")
    if "malformed" in why:
        fix = "put back a copy of the file; its trials are runs, which a new study finds again"
        return UserError("the study's file is damaged", where=where, why=why, fix=fix)
    asked = "the file and its folder can be written" if is_file else "the server runs and takes that user"
    return UserError("the study cannot be read or written", where=where, why=why, fix=f"look whether {asked}")
