"""Addressed random numbers: right, random, and the same whatever surrounds them."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data import addressed

WORD = 2**64
IDS = np.arange(100_000)


def mix(word: int) -> int:
    """SplitMix64's finaliser with Python's integers."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WORD
    return word ^ (word >> 31)


def reference(key: int, id: int, draw: int) -> int:
    state = mix(mix((id * 0xD1342543DE82EF95 + key) % WORD) ^ key)
    return mix((state + (draw + 1) * 0x9E3779B97F4A7C15) % WORD)


@given(st.integers(0, WORD - 1), st.lists(st.integers(0, 2**62), min_size=1, max_size=5), st.integers(1, 4))
def test_bits_equal_a_reference_with_python_integers(key, ids, draws):
    expected = [[reference(key, id, draw) for draw in range(draws)] for id in ids]
    assert addressed.bits(np.uint64(key), ids, draws).tolist() == expected


@given(st.data())
def test_a_number_does_not_depend_on_the_batch_around_it(data):
    ids = data.draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
    chosen = data.draw(st.permutations(range(len(ids))))[: data.draw(st.integers(1, len(ids)))]
    whole = addressed.uniform(addressed.key("crop", 3), ids, 3)
    part = addressed.uniform(addressed.key("crop", 3), [ids[place] for place in chosen], 3)
    assert np.array_equal(part, whole[chosen])
    fewer = addressed.uniform(addressed.key("crop", 3), ids, 2)
    assert np.array_equal(fewer, whole[:, :2])


def test_key_is_blake2b_of_its_typed_parts():
    digest = hashlib.blake2b(digest_size=8)
    for text in (b"str:order", b"int:7"):
        digest.update(len(text).to_bytes(8, "little") + text)
    assert int(addressed.key("order", 7)) == int.from_bytes(digest.digest(), "little")


def test_keys_tell_types_and_borders_of_parts_apart():
    keys = [("a", 1), ("a", "1"), ("a1",), ("a", 1, ""), (1, "a"), ()]
    assert len({int(addressed.key(*parts)) for parts in keys}) == len(keys)


def test_uniform_numbers_have_the_moments_and_bins_of_the_uniform_distribution():
    values = addressed.uniform(addressed.key("quality"), IDS, 4)
    assert values.min() >= 0 and values.max() < 1
    n = values.size
    assert abs(values.mean() - 0.5) < 5 / np.sqrt(12 * n)
    assert abs(values.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / n)
    counts = np.bincount((values * 100).astype(int).ravel(), minlength=100)
    chi_squared = ((counts - n / 100) ** 2 / (n / 100)).sum()
    assert 40 < chi_squared < 175  # 99 degrees of freedom: beyond 5 standard deviations either way


def test_neighbouring_ids_draws_and_keys_are_uncorrelated():
    here = addressed.uniform(addressed.key("quality", 0), IDS, 3)
    there = addressed.uniform(addressed.key("quality", 1), IDS, 3)
    pairs = {
        "ids": (here[:-1, 0], here[1:, 0]),
        "ids 256 apart": (here[:-256, 0], here[256:, 0]),
        "draws": (here[:, 0], here[:, 1]),
        "keys": (here[:, 0], there[:, 0]),
    }
    for name, (first, second) in pairs.items():
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(first)), name


def test_every_bit_of_the_words_is_set_half_of_the_time():
    words = addressed.bits(addressed.key("bits"), IDS)[:, 0]
    shares = [((words >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(64)]
    assert max(abs(share - 0.5) for share in shares) < 5 * 0.5 / np.sqrt(len(IDS))


def test_integers_cover_their_range_evenly():
    values = addressed.integers(addressed.key("faces"), IDS, 6)
    counts = np.bincount(values.ravel())
    assert len(counts) == 6
    assert ((counts - len(IDS) / 6) ** 2 / (len(IDS) / 6)).sum() < 30  # 5 degrees of freedom


@pytest.mark.parametrize("high", [0, -1, 2**31 + 1])
def test_integers_refuse_a_bound_that_they_cannot_serve(high):
    with pytest.raises(ValueError, match="high"):
        addressed.integers(addressed.key("x"), [1], high)


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=40), st.integers(0, 5))
def test_order_is_a_permutation_in_which_two_ids_keep_their_rank(ids, seed):
    rows = np.array(sorted(ids))
    shuffled = rows[addressed.order(addressed.key("split", seed), rows)]
    assert sorted(shuffled.tolist()) == rows.tolist()
    kept = rows[::2]
    again = kept[addressed.order(addressed.key("split", seed), kept)]
    assert again.tolist() == [row for row in shuffled.tolist() if row in set(kept.tolist())]
