"""Losses of single samples, against sums made one by one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.engine.sample_losses import SampleLosses, joined

ROWS = np.array([3, 5, 8, 9, 20])
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(ROWS.tolist()), st.floats(0, 100, width=32)), min_size=1, max_size=6),
    max_size=12,
)


def fed(batches, samples=None):
    samples = samples or SampleLosses(ROWS)
    for batch in batches:
        samples.add(np.array([row for row, _ in batch]), torch.tensor([loss for _, loss in batch]))
    return samples


@settings(deadline=None)
@given(BATCHES, st.integers(0, 12))
def test_means_are_those_of_plain_sums_also_after_a_restart_anywhere(batches, cut):
    seen = {row: [loss for batch in batches for r, loss in batch if r == row] for row in ROWS.tolist()}
    first = fed(batches[:cut])
    second = SampleLosses(ROWS)
    second.load_state_dict(first.state_dict())
    resumed, whole = fed(batches[cut:], second), fed(batches)
    for samples in (whole, resumed):
        means = samples.means()
        for place, row in enumerate(ROWS.tolist()):
            if seen[row]:
                assert means[place] == pytest.approx(np.mean(seen[row]), rel=1e-4, abs=1e-4)
                assert samples.last[place] == np.float32(seen[row][-1])
            else:
                assert np.isnan(means[place])
    # Not only nearly: a resumed training writes the same bits.
    np.testing.assert_array_equal(whole.total, resumed.total)
    np.testing.assert_array_equal(whole.count, resumed.count)


def test_a_loss_of_the_whole_batch_tells_nothing_of_a_sample():
    samples = SampleLosses(ROWS)
    samples.add(ROWS, torch.tensor(3.0))
    assert np.isnan(samples.means()).all()


def test_processes_share_out_the_samples():
    parts = [fed([[(3, 1.0), (5, 2.0)], [(3, 3.0)]]), fed([[(8, 4.0)], [(3, 8.0)]])]
    whole = joined(parts)
    assert whole.means()[:3].tolist() == [4.0, 2.0, 4.0]
    assert whole.count.tolist() == [3, 1, 1, 0, 0]
    assert whole.last[0] == 3.0


def test_waiting_losses_are_settled_by_themselves():
    samples = SampleLosses(ROWS)
    for _ in range(1030):
        samples.add(np.array([3]), torch.tensor([1.0]))
    assert samples.count[0] >= 1024
    assert samples.means()[0] == 1.0
