"""Ctrl-C and SIGTERM: the first asks for an orderly end, a second Ctrl-C ends at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether someone asked the training to stop, and how."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def stop_on_signals(
    notice: Callable[[str], None], left: Callable[[], str] = lambda: "", *, settle: float = 0.0
) -> Iterator[StopRequest]:
    """Turns SIGINT and SIGTERM into a request for as long as the context lasts.

    Signals can only be received in the main thread; elsewhere the request stays empty.

    Args:
        notice: Told what happens, in words.
        left: Says, when the process is stopped at once, what there is to go on from.
        settle: Seconds in which further signals count as the same one. Under `torchrun` one Ctrl-C
            arrives twice: from the terminal and from `torchrun` itself.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    asked = [0.0]

    def handle(number: int, frame: FrameType | None) -> None:
        """Asks for a stop at the first signal, and ends the process at a second Ctrl-C."""
        if request and time.monotonic() - asked[0] < settle:
            return
        if request and number == signal.SIGINT:
            # Not through sys.stderr, whose lock the interrupted code may hold.
            os.write(2, f"stopped at once; {left()}\n".replace("; \n", "\n").encode())
            os._exit(128 + number)
        request.signal, asked[0] = number, time.monotonic()
        notice("stopping after this step and saving; press Ctrl-C again to stop at once")

    held = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
