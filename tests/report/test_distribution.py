"""What the report says of distributions, by hand."""

import numpy as np
import pytest

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


EDGES = [0.0, 1.0, 2.0, 4.0, 8.0]


def scored(crps):
    """Distributions that are certain of the third bin, [2, 4]."""
    count = len(crps)
    true = np.arange(count, dtype=float)
    told = distribution_columns(
        "z",
        np.full(count, 3.0),
        np.tile([0.0, 0.0, 1.0, 0.0], (count, 1)),
        true=true,
        below=np.full(count, 0.5),
        crps=np.array(crps),
        loss=np.zeros(count),
    )
    return {"sample": [f"s{place}" for place in range(count)], "row": np.arange(count), **told}


def test_the_worst_are_ranked_by_the_score_of_their_distribution():
    [result] = analyse_distribution("z", scored([0.1, 0.3, np.nan, 0.2]), stem="z", edges=EDGES)
    assert [mistake.sample for mistake in result.mistakes] == ["s1", "s3", "s0"]
    assert [mistake.crps for mistake in result.mistakes] == [0.3, 0.2, 0.1]
    assert result.crps == pytest.approx(0.2)
    assert result.crps_interval.low <= 0.2 <= result.crps_interval.high
    told = result.as_json()
    assert told["type"] == "distribution"
    assert told["worst"][0]["crps"] == 0.3


def test_a_distribution_is_drawn_as_a_density_with_the_truth_and_the_estimate():
    [result] = analyse_distribution("z", scored([0.5]), stem="test-z", edges=EDGES)
    [chart] = result.shapes
    assert chart in result.charts
    assert chart.name == "test-z-pdf-1"
    curve, true, told = chart.marks
    assert curve.x.tolist() == [0, 1, 1, 2, 2, 4, 4, 8]
    # All probability in a bin of width 2.
    assert curve.y.tolist() == [0, 0, 0, 0, 0.5, 0.5, 0, 0]
    assert np.trapezoid(curve.y, curve.x) == 1
    assert (true.at, told.at) == (0.0, 3.0)
    # The truth far from all probability is in the picture, the empty bins beyond it are not.
    low, high = chart.x_range
    assert low < 0.0
    assert 4.0 < high < 8.0


def test_typical_and_worst_distributions_are_drawn_each_once():
    [result] = analyse_distribution("z", scored(np.arange(41) / 40), stem="z", edges=EDGES)
    assert [chart.note.split(":")[0] for chart in result.shapes] == ["s4", "s20", "s36", "s40", "s39", "s38"]
    assert [chart.title for chart in result.shapes][3:] == [
        "The largest CRPS",
        "The second largest CRPS",
        "The third largest CRPS",
    ]


@pytest.mark.parametrize("edges", [(), (0.0, 1.0)])
def test_without_the_edges_no_distribution_is_drawn(edges):
    [result] = analyse_distribution("z", scored([0.5, 0.4]), stem="z", edges=edges)
    assert result.shapes == ()
    assert len(result.mistakes) == 2
