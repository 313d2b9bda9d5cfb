"""Feedback on long work: numbers are stored by the working thread and drawn by another.

Written by hand because a live line has to cost nothing: importing rich's progress bars takes 70 to
200 ms here, a third of what training a small model may take from start to first step.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from trainwright import log
from trainwright.console import Console, console

_REDRAW = 0.1
_PLAIN_EVERY = 30.0
_WINDOW = 3.0


class ProgressSink(Protocol):
    """Who is told how far a run is. Every call must return at once.

    Attributes:
        said: Messages that the user has seen.
    """

    said: list[str]

    def start(self, total_steps: int | None, steps_per_epoch: int, batch_size: int) -> None:
        """Training begins. `total_steps` is None where only a budget in minutes is given."""

    def step(self, step: int) -> None:
        """So many optimizer steps are done."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """So many epochs are done, with their metrics."""

    def message(self, text: str) -> None:
        """A sentence for the user."""

    def data(self, done: int, total: int, stage: str = "decode") -> None:
        """So many samples are decoded or, in stage `fingerprint`, so many bytes are hashed."""

    def watch(self, latest: Callable[[], Mapping[str, float]]) -> None:
        """Where the newest logged values can be asked for; `Spool.latest`."""

    def close(self) -> None:
        """The work is over; everything told so far is shown."""


class NoProgress:
    """Shows nothing; messages and epochs still go to the run's log."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, total_steps: int | None, steps_per_epoch: int, batch_size: int) -> None: ...

    def step(self, step: int) -> None: ...

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Writes a line to the log."""
        log.note(f"epoch {epoch}  {format_metrics(metrics)}")

    def message(self, text: str) -> None:
        """Writes a line to the log."""
        log.note(text)

    def data(self, done: int, total: int, stage: str = "decode") -> None: ...

    def watch(self, latest: Callable[[], Mapping[str, float]]) -> None: ...

    def close(self) -> None: ...


class ConsoleProgress:
    """A live line at ten redraws a second on a terminal; elsewhere a plain line per epoch.

    Without a terminal a line is also written when nothing was said for 30 seconds.

    Args:
        target: Where to draw.
        clock: Seconds; for tests.
        threaded: Draw from a thread of its own; False leaves drawing to calls of `draw`.
    """

    def __init__(
        self,
        target: Console = console,
        *,
        clock: Callable[[], float] = time.monotonic,
        threaded: bool = True,
    ) -> None:
        self._console, self._clock, self._threaded = target, clock, threaded
        self._terminal = target.is_terminal
        self.said: list[str] = []
        self._lines: deque[str] = deque()
        self._total: int | None = None
        self._per_epoch = self._batch = 1
        self._step = self._first_step = 0
        self._training = False
        self._data = (0, 0)
        self._data_started, self._stage = 0.0, "decode"
        self._latest: Callable[[], Mapping[str, float]] = dict
        self._started = self._said = clock()
        self._recent: deque[tuple[float, int]] = deque()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, total_steps: int | None, steps_per_epoch: int, batch_size: int) -> None:
        """See `ProgressSink`; the first `step` after it tells where a resumed run goes on."""
        self._total, self._per_epoch, self._batch = total_steps, max(1, steps_per_epoch), batch_size
        self._started = self._clock()
        self._first_step = -1
        self._recent.clear()
        self._training = True
        self._run()

    def step(self, step: int) -> None:
        """Stores a number; 50 nanoseconds."""
        self._step = step

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Leaves one line per epoch on the screen."""
        total = f"/{-(-self._total // self._per_epoch)}" if self._total else ""
        line = f"epoch {epoch}{total}  {format_metrics(metrics)}".rstrip()
        log.note(line)
        self._lines.append(line)

    def message(self, text: str) -> None:
        """Leaves a line on the screen."""
        log.note(text)
        self.said.append(text)
        self._lines.append(text)
        self._run()

    def data(self, done: int, total: int, stage: str = "decode") -> None:
        """Shows the reading of data until training starts."""
        if not self._data[1] or stage != self._stage:
            self._data_started, self._stage = self._clock(), stage
        self._data = (done, total)
        if self._thread is None:
            self._run()

    def watch(self, latest: Callable[[], Mapping[str, float]]) -> None:
        """Shows the newest training loss beside the bar."""
        self._latest = latest

    def close(self) -> None:
        """Draws what is left, removes the live line and ends the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._training, self._data = False, (0, 0)
        self.draw()
        if self._terminal:
            self._console.live("")

    def draw(self) -> None:
        """Shows what was stored since the last call."""
        now = self._clock()
        while self._lines:
            self._console.write(self._lines.popleft())
            self._said = now
        line = self._line(now)
        if self._terminal:
            self._console.live(line)
        elif line and now - self._said >= _PLAIN_EVERY:
            self._console.write(line)
            self._said = now

    def _run(self) -> None:
        if self._threaded and self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._work, name="trainwright-progress", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        pause = _REDRAW if self._terminal else 1.0
        while not self._stopped.wait(pause):
            self.draw()

    def _line(self, now: float) -> str:
        if self._training:
            return self._training_line(now)
        done, total = self._data
        if not total or done >= total:
            return ""
        elapsed = now - self._data_started
        rate = done / elapsed if elapsed > 0 else 0.0
        left = f"  ETA {format_seconds((total - done) / rate)}" if rate else ""
        if self._stage == "fingerprint":
            return f"hashing data {_bar(done / total)} {done / 1e6:,.0f}/{total / 1e6:,.0f} MB{left}"
        return f"reading data {_bar(done / total)} {done:,}/{total:,}{left}"

    def _training_line(self, now: float) -> str:
        step = self._step
        if self._first_step < 0:
            self._first_step = step
        self._recent.append((now, step))
        while now - self._recent[0][0] > _WINDOW and len(self._recent) > 2:
            self._recent.popleft()
        parts = [self._position(step)]
        latest = self._latest()
        loss = latest.get("step/loss", latest.get("train/loss"))
        if loss is not None:
            parts.append(f"loss {loss:.4g}")
        (then, before) = self._recent[0]
        if step > before:
            parts.append(f"{(step - before) * self._batch / (now - then):,.0f} samples/s")
        parts.append(self._time_left(now, step))
        return "  ".join(parts)

    def _position(self, step: int) -> str:
        if not self._total:
            return f"step {step:,}  epoch {step / self._per_epoch:.1f}"
        epochs = -(-self._total // self._per_epoch)
        epoch = min(epochs, step // self._per_epoch + 1)
        return f"epoch {epoch}/{epochs} {_bar(step / self._total)} {step:,}/{self._total:,}"

    def _time_left(self, now: float, step: int) -> str:
        elapsed, done = now - self._started, step - self._first_step
        if not self._total or done <= 0:
            return format_seconds(elapsed)
        # Over the whole time, so that evaluations between the epochs count.
        return f"ETA {format_seconds(elapsed / done * (self._total - step))}"


def format_metrics(metrics: Mapping[str, float]) -> str:
    """`val/loss 0.1234  val/accuracy 0.9700`, four significant digits, in the given order.

    Values of single classes (`val/iou.road`) are left out: they are too many for a line.
    """
    shown = {name: value for name, value in metrics.items() if "." not in name.rsplit("/", 1)[-1]}
    return "  ".join(f"{name} {value:.4g}" for name, value in (shown or metrics).items())


def format_seconds(seconds: float) -> str:
    """`0:07`, `12:34` or `1:02:03`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{last:02}" if hours else f"{minutes}:{last:02}"


def _bar(fraction: float, width: int = 20) -> str:
    full = min(width, max(0, int(fraction * width)))
    return "[" + "=" * full + " " * (width - full) + "]"
