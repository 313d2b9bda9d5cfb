"""Memory of a process and its peak."""

from __future__ import annotations

import os
import resource

import numpy as np
import pytest

from trainwright.machine.process_memory import forget_peak, peak_bytes, resident_bytes


@pytest.fixture(autouse=True)
def _told() -> None:
    if not resident_bytes():
        pytest.skip("this system does not tell")


def test_the_peak_is_that_of_the_system_s_accounting():
    ours, theirs = peak_bytes(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert ours >= resident_bytes()
    assert abs(ours - theirs) < 0.05 * theirs


def test_the_peak_remembers_what_was_given_back_until_it_is_forgotten():
    held = np.ones(64 << 20, dtype=np.uint8)
    assert held[-1] == 1
    with_it = resident_bytes()
    del held
    assert peak_bytes() > with_it - (1 << 20)  # the kernel counts in batches of pages
    if not forget_peak():
        pytest.skip("this system does not let the peak be forgotten")
    assert peak_bytes() <= with_it - (32 << 20)


def test_a_process_that_has_ended_holds_nothing():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert resident_bytes(pid) == peak_bytes(pid) == 0
