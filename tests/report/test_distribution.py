"""The chart of a distribution's widths, by hand."""

import numpy as np

from trainwright.inference.vector_columns import distribution_columns
from trainwright.report.distribution import analyse_distribution


def columns(below):
    count = len(below)
    true = np.arange(count, dtype=float)
    told = distribution_columns("z", true + 0.5, np.full((count, 4), 0.25), true=true, below=below)
    return {"sample": [str(place) for place in range(count)], "row": np.arange(count), **told}


def test_the_bars_count_samples_by_the_probability_below_the_truth():
    below = np.array([0.01, 0.02, 0.5, 0.52, 1.0, np.nan])
    [result] = analyse_distribution("z", columns(below), stem="test-z")
    assert result.mae == 0.5
    chart = result.charts[-1]
    bars, rule = chart.marks
    assert chart.name == "test-z-pit"
    assert bars.heights.nonzero()[0].tolist() == [0, 10, 19]
    assert bars.heights.sum() == 5
    assert rule.at == 5 / 20


def test_without_a_truth_there_is_no_such_chart():
    given = columns(np.array([0.5, 0.5]))
    del given["z_below"]
    [result] = analyse_distribution("z", given, stem="test-z")
    assert all(not chart.name.endswith("-pit") for chart in result.charts)
