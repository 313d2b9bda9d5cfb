"""A process watched from outside."""

import os
import sys

import pytest

from benchmarks.processes import pss_kib, run, tree


def test_the_last_json_line_and_the_times_are_read():
    outcome = run([sys.executable, "-c", "print('{\"a\": 1}'); print('{\"a\": 2}'); print('end')"])
    assert outcome.returncode == 0
    assert outcome.last_line() == {"a": 2}
    assert 0 < outcome.wall_s < 60


def test_a_silent_process_is_an_error_with_its_last_words():
    outcome = run([sys.executable, "-c", "raise SystemExit('out of luck')"])
    assert outcome.returncode == 1
    with pytest.raises(ValueError, match="out of luck"):
        outcome.last_line()


def test_this_process_is_its_own_tree_and_has_memory():
    assert tree(os.getpid())[0] == os.getpid()
    assert pss_kib(os.getpid()) > 1000
