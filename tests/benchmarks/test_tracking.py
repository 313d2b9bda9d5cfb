"""The statistics of what tracking costs; nothing is timed."""

from __future__ import annotations

import math

from benchmarks import machine, tracking
from benchmarks.results import Measurement, Results


def results(ratios: list[float]) -> Results:
    made = Results("tracking", {}, "", machine.describe(), "plain")
    for number, ratio in enumerate(ratios, start=1):
        made.measurements.append(Measurement("W1", "plain", number, {"train_s": 10.0 * number}))
        made.measurements.append(Measurement("W1", "sinks", number, {"train_s": 10.0 * number * ratio}))
    return made


def test_ratios_are_formed_within_a_round():
    middle, low, high = tracking.ratio(results([1.0, 1.02, 0.99]), "train_s")
    assert math.isclose(middle, 1.0)
    assert math.isclose(low, 0.99) and math.isclose(high, 1.02)


def test_a_round_that_failed_takes_no_part():
    made = results([1.1, 1.1])
    made.measurements.append(Measurement("W1", "plain", 3, {"train_s": 1.0}))
    assert math.isclose(tracking.ratio(made, "train_s")[0], 1.1)
    assert math.isnan(tracking.ratio(results([]), "train_s")[0])


def test_calls_are_timed_one_by_one():
    found = tracking.log_calls(50)
    assert 0 < found["median_us"] <= found["p99_us"] <= found["largest_us"]
