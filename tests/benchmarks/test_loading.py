"""The comparison of loaders: who runs when, and with whom we are compared."""

from __future__ import annotations

import argparse
from collections import Counter

from benchmarks.loading import ratios, schedule
from benchmarks.results import Machine, Measurement, Results


def test_every_contestant_runs_once_a_round_with_each_decoder() -> None:
    options = argparse.Namespace(rounds=3, seed=0)
    planned = list(
        schedule(["cached", "first"], ["pillow", "simplejpeg"], ["ours", "torchvision_2"], options)
    )
    assert len(planned) == len(set(planned)) == 2 * 3 * 2 * 2
    assert set(Counter(number for *_, number in planned).values()) == {8}


def test_the_ratio_is_that_to_the_peer_with_the_best_median() -> None:
    machine = Machine("m", "c", 2, 1.0, [], "s", "p", {}, "c")
    rates = {"ours": (100, 300, 90), "torchvision_2": (10, 20, 30), "litdata_2": (99, 1, 1)}
    measured = [
        Measurement("cached, pillow", name, number, {"images_per_s": float(rate)})
        for name, given in rates.items()
        for number, rate in enumerate(given)
    ]
    (line,) = ratios(Results("loading", {}, "t", machine, "ours", measured))
    assert line == "cached, pillow: 10.00x of torchvision_2, the best peer"
