"""The terminal, shared by log lines and one live line, so that neither cuts the other."""

from __future__ import annotations

import os
import sys
import threading
from typing import TextIO

_CLEAR_LINE = "\r\x1b[K"


class Console:
    """Writes whole lines, and keeps one live line at the bottom of a terminal.

    Args:
        stream: Where to write; the present `sys.stderr` when absent, so that results on stdout can
            be piped away.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._live = ""
        self._lock = threading.RLock()

    @property
    def stream(self) -> TextIO:
        """Where lines go."""
        return self._stream or sys.stderr

    @property
    def is_terminal(self) -> bool:
        """Whether a live line can be redrawn in place."""
        dumb = os.environ.get("TERM") == "dumb"
        return not dumb and hasattr(self.stream, "isatty") and self.stream.isatty()

    @property
    def width(self) -> int:
        """Characters in a line."""
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError, AttributeError):
            return 80

    def write(self, text: str) -> None:
        """Writes a whole line above the live one."""
        with self._lock:
            live, self._live = self._live, ""
            self._put(f"{_CLEAR_LINE if live else ''}{text}\n")
            if live:
                self.live(live)

    def live(self, text: str) -> None:
        """Replaces the live line; empty text removes it."""
        with self._lock:
            if text == self._live:
                return
            self._live = text[: self.width - 1]
            self._put(_CLEAR_LINE + self._live)

    def _put(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (BrokenPipeError, ValueError):
            # Whoever listened is gone (pipe or notebook closed): no reason to stop a training.
            self._live = ""


console = Console()
