"""Messages: one level for the console, another for the run's `log.txt`, or a logger of the user's own.

Environment: `TRAINWRIGHT_LOG` and `TRAINWRIGHT_FILE_LOG` set the two levels.
"""

from __future__ import annotations

import logging
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from trainwright.console import Console, console
from trainwright.errors import RecipeError, StorageError, closest

LEVELS = ("debug", "info", "warning", "error", "critical")

logger = logging.getLogger("trainwright")
logger.addHandler(logging.NullHandler())

ErrorHandler = Callable[[BaseException], None]

_FILE_ONLY = {"file_only": True}
_FILE_FORMAT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
# Set before the libraries load: their notes go, their errors stay. A value of the user's own wins.
_NATIVE = {
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "GLOG_minloglevel": "2",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KMP_WARNINGS": "0",
    "ORT_LOGGING_LEVEL": "3",
}


class ConsoleHandler(logging.Handler):
    """Writes plain sentences, with the level's name from warning on."""

    def __init__(self, target: Console = console) -> None:
        super().__init__()
        self.target = target

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record above the live line, unless it is a note for files only."""
        if getattr(record, "file_only", False):
            return
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        if record.levelno >= logging.WARNING or record.levelno < logging.INFO:
            text = f"{record.levelname.lower()}: {text}"
        self.target.write(text)


class LogFile(logging.FileHandler):
    """A log that is lost when it cannot be written, which is said once: it never ends or clutters a run."""

    def __init__(self, path: str | os.PathLike[str], target: Console = console) -> None:
        super().__init__(path, encoding="utf-8")
        self._target, self._told = target, False

    def handleError(self, record: logging.LogRecord) -> None:
        """Says that the disk is full or gone; anything else is a defect, and shown as such."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._told:
            self._told = True
            self._target.write(f"warning: {self.baseFilename} cannot be written: {error.strerror}")

    def close(self) -> None:
        """Closes the file; lines that were told to be lost are no second error."""
        with suppress(OSError):
            super().close()


class _Forward(logging.Handler):
    """Hands every record to the user's logger, which has levels and handlers of its own."""

    def __init__(self, receiver: logging.Logger) -> None:
        super().__init__()
        self.receiver = receiver

    def emit(self, record: logging.LogRecord) -> None:
        """Hands on one record; notes for files too, since the user's logger has no other source for them."""
        if self.receiver.isEnabledFor(record.levelno):
            self.receiver.handle(record)


class _State:
    """What was set for this process."""

    def __init__(self) -> None:
        self.front: logging.Handler | None = None
        self.file_level = logging.DEBUG
        self.on_error: ErrorHandler | None = None
        self.users = False


_state = _State()


def configure(console_level: str | None = None, file_level: str | None = None) -> None:
    """Shows messages on the console, unless the user's own logger takes them.

    Args:
        console_level: One of `LEVELS`; `TRAINWRIGHT_LOG`, else `info`, when absent.
        file_level: The same for files; `TRAINWRIGHT_FILE_LOG`, else `debug`, when absent.

    Raises:
        RecipeError: A level has an unknown name.
    """
    front_level = _level(console_level, "TRAINWRIGHT_LOG", "info")
    _state.file_level = _level(file_level, "TRAINWRIGHT_FILE_LOG", "debug")
    if not _state.users:
        _set_front(ConsoleHandler())
    if _state.front is not None and not _state.users:
        _state.front.setLevel(front_level)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


def configure_once() -> None:
    """`configure` with defaults, unless that or `set_logger` was done before. For the Python API."""
    if _state.front is None:
        configure()


def set_logger(receiver: logging.Logger | None, *, on_error: ErrorHandler | None = None) -> None:
    """Gives all messages to a logger of the user's own, in place of the console.

    Args:
        receiver: The logger; None goes back to the console.
        on_error: Called with every exception that ends a run, before it is raised or printed.
    """
    _state.on_error = on_error
    _state.users = receiver is not None
    if receiver is None:
        _set_front(None)
        configure()
        return
    _set_front(_Forward(receiver))
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


def report_error(error: BaseException) -> None:
    """Tells the user's error handler of an exception that ends a run; each exception once."""
    if _state.on_error is not None and not getattr(error, "_trainwright_reported", False):
        error._trainwright_reported = True  # type: ignore[attr-defined]
        _state.on_error(error)


@contextmanager
def to_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Appends all messages within the block to a file, at the file's own level.

    An exception that leaves the block is written with its traceback.

    Raises:
        StorageError: The file cannot be opened.
    """
    try:
        handler = LogFile(path)
    except OSError as error:
        raise StorageError(path, error) from error
    handler.setLevel(_state.file_level)
    handler.setFormatter(logging.Formatter(_FILE_FORMAT))
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        yield
    except BaseException as error:
        logger.error("%s", error or type(error).__name__, exc_info=True, extra=_FILE_ONLY)
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


def note(text: str) -> None:
    """Writes to the open files, for what the console shows in its own way: progress and results."""
    logger.info("%s", text, extra=_FILE_ONLY)


def quiet_native() -> None:
    """Filters the notes of native libraries that are loaded later; their errors stay."""
    for name, value in _NATIVE.items():
        os.environ.setdefault(name, value)


def route_warnings() -> None:
    """Sends Python's warnings to the log; those of installed packages only reach files."""
    warnings.showwarning = _show_warning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if file is not None:
        file.write(warnings.formatwarning(message, category, filename, lineno, line))
        return
    installed = any(filename.startswith(place) for place in _package_places())
    ours = "/trainwright/" in filename
    level = logging.DEBUG if installed and not ours else logging.WARNING
    logger.log(level, "%s (%s, %s:%d)", message, category.__name__, filename, lineno)


def _package_places() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths["purelib"], paths["platlib"], str(Path(os.__file__).parent)})


def _set_front(handler: logging.Handler | None) -> None:
    if _state.front is not None:
        logger.removeHandler(_state.front)
    _state.front = handler
    if handler is not None:
        logger.addHandler(handler)


def _level(name: str | None, variable: str, default: str) -> int:
    given = name or os.environ.get(variable) or default
    if given.lower() not in LEVELS:
        near = closest(given.lower(), LEVELS)
        raise RecipeError(
            f"{given!r} is not a log level",
            where="--log-level" if name else variable,
            fix=f"did you mean {near}?" if near else f"one of {', '.join(LEVELS)}",
        )
    return int(getattr(logging, given.upper()))


def traceback_wanted() -> bool:
    """Whether the user asked for tracebacks with `TRAINWRIGHT_TRACEBACK=1`."""
    return os.environ.get("TRAINWRIGHT_TRACEBACK", "") not in ("", "0")


def interactive() -> bool:
    """Whether this process is a notebook or an interactive session."""
    return hasattr(sys, "ps1") or "ipykernel" in sys.modules
