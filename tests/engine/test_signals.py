"""Ctrl-C and SIGTERM."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from trainwright.engine.signals import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_for_an_orderly_end(number: signal.Signals) -> None:
    notices: list[str] = []
    before = signal.getsignal(number)
    with stop_on_signals(notices.append) as stop:
        assert not stop
        signal.raise_signal(number)
        assert stop
        assert stop.signal == number
    assert "saving" in notices[0]
    assert "Ctrl-C again" in notices[0]
    assert signal.getsignal(number) is before


def test_sigterm_again_changes_nothing() -> None:
    with stop_on_signals(lambda _: None) as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        assert stop


def test_a_second_ctrl_c_ends_the_process_at_once() -> None:
    code = (
        "import signal\n"
        "from trainwright.engine.signals import stop_on_signals\n"
        "with stop_on_signals(lambda text: None, lambda: 'no checkpoint yet'):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print('still there', flush=True)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print('not reached', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 130
    assert done.stdout == "still there\n"
    assert done.stderr == "stopped at once; no checkpoint yet\n"


def test_processes_of_a_group_take_one_press_that_arrives_twice_as_one() -> None:
    """The terminal signals every process of the group, and torchrun hands its own on to them."""
    with stop_on_signals(lambda _: None, settle=60.0) as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        assert stop.signal == signal.SIGINT


def test_elsewhere_than_in_the_main_thread_nothing_is_touched() -> None:
    held = signal.getsignal(signal.SIGINT)
    seen: list[bool] = []

    def work() -> None:
        with stop_on_signals(lambda _: None) as stop:
            seen.append(signal.getsignal(signal.SIGINT) is held)
            seen.append(bool(stop))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, False]
