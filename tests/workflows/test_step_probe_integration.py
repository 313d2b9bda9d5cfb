"""A training in miniature in a process of its own, and its end before it takes too much."""

from __future__ import annotations

import pytest

from trainwright import recipe as recipes
from trainwright.engine.runtime import Execution
from trainwright.errors import TrainwrightError
from trainwright.machine.host_memory import host_memory
from trainwright.workflows.step_probe import ProbeFailed, probe_steps

pytestmark = pytest.mark.skipif(host_memory() is None, reason="this system does not tell of memory")
EXECUTION = Execution("cpu", threads=1, evaluation_batch=64)
SIZES = [(16, 16), (32, 16), (32, 32)]


@pytest.fixture(scope="module")
def loaded():
    return recipes.load("digits", {"train.threads": 1, "train.precision": "fp32"})


def test_it_measures_every_size_and_the_evaluation(loaded):
    found = probe_steps(loaded, EXECUTION, SIZES, 2 << 30)
    assert [(m.samples, m.micro) for m in found.measured] == SIZES
    assert all(10 << 20 < m.host < 1 << 30 and m.device == 0 for m in found.measured)
    assert all(0 < m.seconds < 10 for m in found.measured)
    assert not found.exceeded
    assert found.evaluation is not None and found.evaluation[0] > 0
    # Ten logits and one label of eight bytes.
    assert found.row == 10 * 4 + 8


def test_it_ends_before_it_takes_more_than_it_may(loaded):
    found = probe_steps(loaded, EXECUTION, SIZES, 1 << 20)
    assert found.exceeded and found.measured == ()


def test_one_that_fails_says_why(loaded):
    with pytest.raises(ProbeFailed, match="could not be measured") as caught:
        probe_steps(loaded, EXECUTION.with_choice(precision="no such"), [(4, 4)], 1 << 30)
    assert isinstance(caught.value, TrainwrightError) and "no such" in caught.value.why


def test_one_that_takes_too_long_is_ended(loaded):
    with pytest.raises(ProbeFailed):
        probe_steps(loaded, EXECUTION, SIZES, 1 << 30, seconds=0.1)
