"""Progress: what is stored by one thread and drawn by another."""

from __future__ import annotations

import io
import threading

import pytest

from trainwright.console import Console
from trainwright.progress import ConsoleProgress, NoProgress, format_metrics, format_seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(stream, clock) -> ConsoleProgress:
    return ConsoleProgress(Console(stream), clock=clock, threaded=False)


def last_live(stream) -> str:
    return stream.getvalue().rpartition("\x1b[K")[2]


def test_bar_speed_loss_and_time_left(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.watch(lambda: {"step/loss": 0.51239})
    progress.start(200, 100, 64)
    progress.step(0)
    progress.draw()
    clock.now += 2
    progress.step(50)
    progress.draw()
    # 50 of 200 steps took 2 s, so 150 take 6 s; 50 * 64 / 2 s = 1,600 a second.
    expected = "epoch 1/2 [=====               ] 50/200  loss 0.5124  1,600 samples/s  ETA 0:06"
    assert last_live(stream) == expected


def test_a_resumed_run_counts_from_where_it_goes_on(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.start(200, 100, 64)
    progress.step(150)
    progress.draw()
    clock.now += 5
    progress.step(175)
    progress.draw()
    assert last_live(stream).endswith("ETA 0:05") and "epoch 2/2" in last_live(stream)


def test_speed_is_that_of_the_last_seconds(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.start(10_000, 1000, 1)
    for second in range(20):
        progress.step(second if second < 10 else 10 + (second - 10) * 100)
        progress.draw()
        clock.now += 1
    assert " 100 samples/s" in last_live(stream)


def test_a_budget_in_minutes_has_no_bar(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.start(None, 100, 64)
    progress.step(0)
    progress.draw()
    clock.now += 61
    progress.step(150)
    progress.draw()
    assert last_live(stream).startswith("step 150  epoch 1.5") and last_live(stream).endswith("1:01")


def test_epochs_and_messages_stay_on_the_screen(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.start(200, 100, 64)
    progress.epoch(1, {"val/loss": 0.25, "val/accuracy": 0.97123})
    progress.message("saved")
    progress.close()
    assert "epoch 1/2  val/loss 0.25  val/accuracy 0.9712\n" in stream.getvalue()
    assert stream.getvalue().endswith("saved\n")
    assert progress.said == ["saved"]


def test_reading_of_data(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.data(0, 1000)
    progress.draw()
    clock.now += 1
    progress.data(250, 1000)
    progress.draw()
    assert last_live(stream) == "reading data [=====               ] 250/1,000  ETA 0:03"
    progress.data(1000, 1000)
    progress.draw()
    assert last_live(stream) == ""


def test_hashing_of_data_counts_bytes_and_its_own_time(clock):
    stream = Terminal()
    progress = made(stream, clock)
    progress.data(1000, 1000)
    clock.now += 50
    progress.data(0, 40_000_000, "fingerprint")
    clock.now += 2
    progress.data(10_000_000, 40_000_000, "fingerprint")
    progress.draw()
    assert last_live(stream) == "hashing data [=====               ] 10/40 MB  ETA 0:06"


def test_without_a_terminal_lines_are_plain_and_rare(clock):
    stream = io.StringIO()
    progress = made(stream, clock)
    progress.start(200, 100, 64)
    for step in range(100):
        progress.step(step)
        clock.now += 1
        progress.draw()
    progress.epoch(1, {"val/loss": 0.25})
    progress.close()
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue() and "\r" not in stream.getvalue()
    assert len(lines) == 4  # after 30, 60 and 90 seconds, and the epoch's
    assert lines[-1] == "epoch 1/2  val/loss 0.25"


def test_thread_draws_by_itself_and_ends():
    drawn = threading.Event()

    class Watched(Terminal):
        def write(self, text: str) -> int:
            if "42/200" in text:
                drawn.set()
            return super().write(text)

    progress = ConsoleProgress(Console(Watched()))
    progress.start(200, 100, 64)
    progress.step(42)
    assert drawn.wait(30)
    before = threading.active_count()
    progress.close()
    progress.close()
    assert threading.active_count() == before - 1


def test_no_progress_takes_everything():
    progress = NoProgress()
    progress.start(None, 1, 1)
    progress.step(1)
    progress.epoch(1, {})
    progress.message("a")
    progress.data(1, 2)
    progress.watch(dict)
    progress.close()
    assert progress.said == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (754, "12:34"), (3723, "1:02:03"), (-1, "0:00")]
)
def test_format_seconds(seconds, text):
    assert format_seconds(seconds) == text


def test_format_metrics():
    assert format_metrics({"a": 0.123456, "b": float("nan"), "c": 12}) == "a 0.1235  b nan  c 12"


def test_values_of_single_classes_are_too_many_for_a_line():
    assert format_metrics({"val/miou": 0.5, "val/iou.road": 0.7, "test/my.mask/dice": 0.25}) == (
        "val/miou 0.5  test/my.mask/dice 0.25"
    )
    assert format_metrics({"confusion.a.b": 3}) == "confusion.a.b 3"
