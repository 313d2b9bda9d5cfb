"""A thread that keeps saying that the run is alive, and how far it is."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainwright.runs.atomic import StorageError, replacing


class Heartbeat:
    """Writes `{"time", "pid", **status}` to a file at a fixed interval until `stop`.

    The lock tells whether a run lives on this machine; the heartbeat tells it to other machines and
    carries the progress that `runs list` shows. A beat that cannot be written never stops a run: the
    error is kept in `error`, and the next beat tries again.

    Args:
        path: The heartbeat file.
        status: Called from the thread for values to add, such as step and epoch. It must be quick.
        interval: Seconds between two beats.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        status: Callable[[], dict[str, Any]] | None = None,
        *,
        interval: float = 5.0,
    ) -> None:
        self.path, self.interval = Path(path), interval
        self.error: StorageError | None = None
        self._status = status
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trainwright-heartbeat", daemon=True)

    def start(self) -> Heartbeat:
        """Writes the first beat now and starts the thread."""
        self.beat()
        self._thread.start()
        return self

    def beat(self) -> None:
        """Writes one beat now. Readers see the former or the new one, never a part."""
        values = {"time": time.time(), "pid": os.getpid(), **(self._status() if self._status else {})}
        try:
            with replacing(self.path) as temporary:
                temporary.write_text(json.dumps(values))
        except StorageError as error:
            self.error = error
        else:
            self.error = None

    def stop(self) -> None:
        """Ends the thread after a last beat."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
            self.beat()

    def _work(self) -> None:
        while not self._stopped.wait(self.interval):
            self.beat()


def read_heartbeat(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The last beat, empty when there is none."""
    try:
        value = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
