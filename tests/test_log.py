"""Levels for console and file apart, a user's own logger, and the noise of others."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from trainwright import log
from trainwright.errors import RecipeError, RunError, StorageError


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    for name in ("TRAINWRIGHT_LOG", "TRAINWRIGHT_FILE_LOG"):
        monkeypatch.delenv(name, raising=False)
    show = warnings.showwarning
    yield
    warnings.showwarning = show
    log.set_logger(None)


def speak() -> None:
    log.logger.debug("very fine")
    log.logger.info("plain %s", "words")
    log.logger.warning("careful")


def test_console_level(capsys, monkeypatch):
    log.configure()
    speak()
    assert capsys.readouterr().err == "plain words\nwarning: careful\n"
    log.configure("warning")
    speak()
    assert capsys.readouterr().err == "warning: careful\n"
    monkeypatch.setenv("TRAINWRIGHT_LOG", "DEBUG")
    log.configure()
    speak()
    assert capsys.readouterr().err == "debug: very fine\nplain words\nwarning: careful\n"


def test_file_has_a_level_of_its_own(tmp_path, capsys):
    log.configure("error", "info")
    with log.to_file(tmp_path / "log.txt"):
        speak()
    speak()
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == [
        "INFO     trainwright: plain words",
        "WARNING  trainwright: careful",
    ]
    assert capsys.readouterr().err == ""


def test_notes_and_the_exception_that_ends_a_run_are_in_the_file_only(tmp_path, capsys):
    log.configure()
    with pytest.raises(RunError), log.to_file(tmp_path / "log.txt"):
        log.note("epoch 1")
        raise RunError("the loss is NaN")
    text = (tmp_path / "log.txt").read_text()
    assert "epoch 1" in text and "the loss is NaN" in text and "Traceback" in text
    assert capsys.readouterr().err == ""


def test_file_is_appended_to_and_takes_everything_by_default(tmp_path):
    log.configure("error")
    for _ in range(2):
        with log.to_file(tmp_path / "log.txt"):
            speak()
    assert (tmp_path / "log.txt").read_text().count("very fine") == 2


def test_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(StorageError), log.to_file(tmp_path / "no" / "log.txt"):
        pass


def test_unknown_level():
    with pytest.raises(RecipeError, match="did you mean warning"):
        log.configure("wraning")


def test_users_own_logger_takes_all_and_the_console_nothing(capsys):
    mine = logging.getLogger("mine")
    heard: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    mine.addHandler(Ear())
    mine.setLevel(logging.INFO)
    mine.propagate = False
    log.set_logger(mine)
    log.configure()  # the command line's own configuring does not take it back
    speak()
    assert [record.getMessage() for record in heard] == ["plain words", "careful"]
    assert capsys.readouterr().err == ""
    log.set_logger(None)
    speak()
    assert len(heard) == 2 and "plain words" in capsys.readouterr().err


def test_error_handler_hears_each_error_once():
    heard: list[BaseException] = []
    log.set_logger(None, on_error=heard.append)
    error = RunError("no")
    log.report_error(error)
    log.report_error(error)
    assert heard == [error]
    log.set_logger(None)
    log.report_error(RunError("another"))
    assert heard == [error]


def test_an_exception_is_written_whole(capsys):
    log.configure()
    try:
        raise KeyError("x")
    except KeyError:
        log.logger.exception("it broke")
    err = capsys.readouterr().err
    assert err.startswith("error: it broke\nTraceback") and "KeyError: 'x'" in err


def test_warnings_of_installed_packages_only_reach_the_file(tmp_path, capsys):
    log.configure()
    log.route_warnings()
    with log.to_file(tmp_path / "log.txt"):
        warnings.warn_explicit("from numpy", UserWarning, np.__file__, 1)
        warnings.warn_explicit("from the user's script", UserWarning, "/home/me/train.py", 7)
    err = capsys.readouterr().err
    assert err == "warning: from the user's script (UserWarning, /home/me/train.py:7)\n"
    assert "from numpy" in (tmp_path / "log.txt").read_text()


def test_native_noise_is_filtered_but_the_users_setting_wins(monkeypatch):
    monkeypatch.setenv("TORCH_CPP_LOG_LEVEL", "INFO")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    log.quiet_native()
    assert os.environ["TORCH_CPP_LOG_LEVEL"] == "INFO"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"  # errors and worse


def test_a_library_that_is_only_imported_says_nothing():
    code = "import trainwright.log as log; log.logger.warning('heard?')"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr == ""


def test_configure_once_keeps_what_was_set(capsys):
    log.configure("error")
    log.configure_once()
    speak()
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_is_told_once_and_ends_nothing(tmp_path, monkeypatch, capsys):
    with log.to_file(tmp_path / "log.txt"):
        (handler,) = [item for item in log.logger.handlers if isinstance(item, log.LogFile)]
        handler.stream.close()
        handler.stream = open("/dev/full", "w")  # noqa: PTH123, SIM115 - the handler closes it
        for number in range(3):
            log.note(f"line {number}")
    said = capsys.readouterr().err
    assert said.count("log.txt cannot be written: No space left on device") == 1
    assert "Traceback" not in said
