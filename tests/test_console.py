"""Whole lines and one live line on a terminal."""

from __future__ import annotations

import io
import os
import pty

from trainwright.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_go_above_the_live_line():
    stream = Terminal()
    console = Console(stream)
    console.live("50 %")
    console.write("a line")
    console.live("60 %")
    console.live("60 %")  # nothing new, nothing drawn
    console.live("")
    assert stream.getvalue() == (
        "\r\x1b[K50 %" + "\r\x1b[Ka line\n" + "\r\x1b[K50 %" + "\r\x1b[K60 %" + "\r\x1b[K"
    )


def test_live_line_never_wraps():
    stream = Terminal()
    console = Console(stream)
    console.live("x" * 500)
    assert stream.getvalue() == "\r\x1b[K" + "x" * (console.width - 1)


def test_what_is_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert Console(Terminal()).is_terminal
    assert not Console(io.StringIO()).is_terminal
    monkeypatch.setenv("TERM", "dumb")
    assert not Console(Terminal()).is_terminal


def test_real_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", buffering=0) as reader:
        console = Console(stream)
        assert console.is_terminal and console.width >= 80
        console.live("live")
        console.write("done")
        assert b"\x1b[Klive" in reader.read(100)


def test_a_closed_stream_is_no_reason_to_stop():
    stream = io.StringIO()
    stream.close()
    console = Console(stream)
    console.write("a")
    console.live("b")


def test_stderr_of_the_moment_is_used(capsys):
    Console().write("here")
    assert capsys.readouterr().err == "here\n"
