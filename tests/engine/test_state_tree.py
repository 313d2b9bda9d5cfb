"""Any state through JSON and contiguous tensors, and back with strides, aliases and dtypes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from trainwright.engine.state_tree import flatten, unflatten

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]


def round_trip(tree: Any) -> Any:
    """Through the very formats that a checkpoint is written in."""
    structure, tensors = flatten(tree)
    return unflatten(json.loads(json.dumps(structure)), load(save(tensors)))


def same(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor):
        assert isinstance(right, torch.Tensor)
        assert (left.dtype, left.shape) == (right.dtype, right.shape)
        return (
            left.contiguous().view(-1).view(torch.uint8).equal(right.contiguous().view(-1).view(torch.uint8))
        )
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list | tuple):
        pairs = zip(left, right, strict=True)
        return type(left) is type(right) and all(same(a, b) for a, b in pairs)
    if isinstance(left, float):
        return type(right) is float and (
            (math.isnan(left) and math.isnan(right))
            or (left == right and math.copysign(1, left) == math.copysign(1, right))
        )
    return type(left) is type(right) and left == right


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    dtype = draw(st.sampled_from(DTYPES))
    count = math.prod(shape)
    values = torch.arange(count).mul(37).remainder(101).to(dtype)
    if dtype.is_floating_point and count:
        values[0] = draw(st.sampled_from([math.nan, math.inf, -math.inf, -0.0]))
    # Dense in memory in any order of its axes.
    order = draw(st.permutations(range(len(shape))))
    back = sorted(range(len(shape)), key=order.__getitem__)
    return values.view([shape[axis] for axis in order]).permute(back)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    tensors(),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=4), st.integers(0, 9)), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_every_tree_comes_back_as_it_was(tree: Any) -> None:
    assert same(tree, round_trip(tree))


@settings(max_examples=150, deadline=None)
@given(tensors())
def test_strides_come_back_as_they_were(tensor: torch.Tensor) -> None:
    if tensor.numel():
        assert round_trip(tensor).stride() == tensor.stride()


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (6, 1, 3, 3), (6, 3, 1, 1), (1, 1, 2, 2)], ids=str)
def test_channels_last_stays_channels_last_for_the_kernels_too(shape: tuple[int, ...]) -> None:
    tensor = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    back = round_trip({"weight": tensor})["weight"]
    assert back.stride() == tensor.stride()
    # Kernels derive the format of their output from the strides; those of axes of size 1 count.
    assert torch.relu(back).stride() == torch.relu(tensor).stride()


def test_tied_tensors_stay_one_tensor_and_equal_ones_stay_two() -> None:
    tied = torch.randn(3, 3)
    tree = {"embedding": tied, "head": tied.detach(), "other": tied.clone()}
    structure, stored = flatten(tree)
    assert len(stored) == 2
    back = unflatten(structure, stored)
    assert back["embedding"].data_ptr() == back["head"].data_ptr() != back["other"].data_ptr()


def test_a_transposed_view_is_no_alias() -> None:
    square = torch.arange(9.0).view(3, 3)
    back = round_trip({"a": square, "b": square.t()})
    assert back["a"].equal(square)
    assert back["b"].equal(square.t())


def test_slices_and_expanded_tensors_keep_their_values() -> None:
    base = torch.arange(24.0).view(4, 6)
    for tensor in (base[:, ::2], base[1:3, 1:4], torch.tensor([1.0, 2.0]).expand(3, 2), torch.tensor(7)):
        assert round_trip(tensor).equal(tensor)


def test_later_changes_do_not_reach_what_was_flattened() -> None:
    weight = torch.zeros(4)
    _, stored = flatten({"weight": weight})
    weight.add_(1)
    assert stored["0"].eq(0).all()


def test_gradients_are_left_behind() -> None:
    back = round_trip(torch.nn.Parameter(torch.ones(2)))
    assert not back.requires_grad


@pytest.mark.parametrize("leaf", [object(), {1, 2}, b"bytes", 1j], ids=lambda leaf: type(leaf).__name__)
def test_what_is_no_data_is_refused_with_its_path(leaf: object) -> None:
    with pytest.raises(TypeError, match=r"state\.optimizer\.0"):
        flatten({"optimizer": [leaf]})


def test_a_key_that_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match=r"state\.a has a key of type tuple"):
        flatten({"a": {(1, 2): 3}})
