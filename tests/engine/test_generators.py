"""Addresses of random numbers: no two meet, and every bit is as likely as not."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from trainwright.engine.evaluation import EVALUATION
from trainwright.engine.generators import mix, seed_generators


def test_no_two_addresses_of_a_grid_meet() -> None:
    grid = [
        (seed, step, phase, micro, rank)
        for seed in (0, 1, 2, 17)
        for step in [*range(400), *range(100_000, 100_200), EVALUATION, 1 << 41]
        for phase in range(3)
        for micro in range(4)
        for rank in range(8)
    ]
    assert len({mix(*address) for address in grid}) == len(grid)


def test_every_bit_is_as_likely_as_not() -> None:
    words = [mix(0, step) for step in range(20_000)]
    for bit in range(63):
        share = sum(word >> bit & 1 for word in words) / len(words)
        assert abs(share - 0.5) < 5 * 0.5 / 20_000**0.5, f"bit {bit}"


def test_neighbouring_steps_share_no_pattern() -> None:
    flipped = [(mix(0, step) ^ mix(0, step + 1)).bit_count() for step in range(4000)]
    # Binomial with 63 bits: mean 31.5, standard deviation of the mean of 4000 about 0.063.
    assert abs(np.mean(flipped) - 31.5) < 0.4
    assert min(flipped) > 8


def test_first_dropout_numbers_of_successive_steps_are_even() -> None:
    draws = []
    for step in range(4000):
        seed_generators(3, step)
        draws.append(float(torch.rand(())))
    assert abs(np.mean(draws) - 0.5) < 0.025
    counts, _ = np.histogram(draws, bins=10, range=(0, 1))
    assert ((counts - 400) ** 2 / 400).sum() < 30  # chi square with 9 degrees of freedom, p < 0.0005
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.08


def test_all_default_generators_follow_the_address() -> None:
    def draw(*address: int) -> tuple[float, float, float]:
        seed_generators(*address)
        return float(torch.rand(())), float(np.random.rand()), random.random()

    first = draw(1, 2, 3, 4, 5)
    draw(9)
    assert draw(1, 2, 3, 4, 5) == first
    assert all(a != b for a, b in zip(draw(1, 2, 3, 4, 6), first, strict=True))


def test_an_address_that_is_too_long_is_not_cut_in_silence() -> None:
    with pytest.raises(ValueError, match="at most 5"):
        mix(1, 2, 3, 4, 5, 6)
