"""Reading again what could not be read, for stores that fail now and then: a network folder, a bucket.

Waits double and carry a jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015), so
that many readers do not come back all at once. The jitter is addressed by the file's name: the same run
waits the same times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from trainwright.data import addressed
from trainwright.data.types import BadSample

Answer = TypeVar("Answer")
_LONGEST_WAIT = 60.0
_LASTING = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


@dataclass
class Retry:
    """How often, and after which waits, a read that failed is repeated.

    Attributes:
        attempts: Reads before what cannot be read is given up; 1 for no second try.
        wait: Seconds before the second read, on average; doubled before each further one, up to a minute.
        sleep: How to wait.
        repeated: Reads that were repeated so far.
    """

    attempts: int = 1
    wait: float = 0.5
    sleep: Callable[[float], None] = time.sleep
    repeated: int = 0

    def __call__(self, name: str, read: Callable[[], Answer]) -> Answer:
        """The answer of `read`, called again after a failure that may pass.

        Args:
            name: What is read; addresses the jitter.
            read: Raises `BadSample` or OSError when it fails.

        Raises:
            BadSample, OSError: What the last attempt raised, or the first one that cannot pass.
        """
        for attempt in range(1, self.attempts):
            try:
                return read()
            except (BadSample, OSError) as error:
                if not may_pass(error):
                    raise
            self.repeated += 1
            self.sleep(self.delay(name, attempt))
        return read()

    def delay(self, name: str, attempt: int) -> float:
        """Seconds to wait after the failed attempt number `attempt`, counted from 1."""
        jitter = float(addressed.uniform(addressed.key("retry", name, attempt), [0])[0, 0])
        return min(_LONGEST_WAIT, self.wait * 2.0 ** (attempt - 1)) * (0.5 + jitter)


ONCE = Retry()
"""No second try."""


def may_pass(error: BaseException | None) -> bool:
    """Whether a second read may succeed: storage failed, or gave half a file, but the file is there.

    Half a file shows as any error of a decoder, so every bad sample that has a cause may pass.
    """
    cause = error.__cause__ if isinstance(error, BadSample) else error
    return cause is not None and not isinstance(cause, _LASTING)
