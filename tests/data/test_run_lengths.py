"""Run lengths: as pycocotools packs and unpacks them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from trainwright.data import run_lengths
from trainwright.data.objects import RunLengths

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(masks)
def test_there_and_back_as_pycocotools_does(mask):
    api = pytest.importorskip("pycocotools.mask")
    theirs = api.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = run_lengths.from_mask(mask)
    assert run_lengths.to_text(ours).encode() == theirs["counts"]
    again = run_lengths.from_text(theirs["counts"], tuple(theirs["size"]))
    assert again.counts.tolist() == ours.counts.tolist()
    assert (run_lengths.to_mask(again) == mask).all()
    assert run_lengths.area(ours) == api.area(theirs) == mask.sum()
    left, top, right, bottom = run_lengths.bounds(ours)
    assert [left, top, right - left, bottom - top] == api.toBbox(theirs).tolist()


@given(st.lists(st.integers(0, 1 << 18), min_size=1, max_size=50))
def test_long_runs_survive_as_text(counts):
    runs = RunLengths((1, sum(counts)), np.array(counts, dtype=np.int64))
    assert run_lengths.from_text(run_lengths.to_text(runs), runs.size).counts.tolist() == counts


@given(st.text(max_size=30) | st.binary(max_size=30), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_any_text_is_runs_or_a_reason(text, size):
    try:
        runs = run_lengths.from_text(text, size)
    except ValueError:
        return
    assert run_lengths.to_mask(runs).shape == size
