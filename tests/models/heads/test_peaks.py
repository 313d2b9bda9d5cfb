"""Places of peaks between cells."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.models.heads.peaks import gaussians, highest, quadratic_peak, soft_argmax, windows


def test_a_gaussian_by_hand():
    found = gaussians(torch.tensor([[[1.0, 2.0]]]), (4, 3), 2.0)
    assert found.shape == (1, 1, 4, 3)
    assert float(found[0, 0, 2, 1]) == 1.0
    # One column and two rows away: exp(-(1 + 4) / 8).
    assert float(found[0, 0, 0, 2]) == pytest.approx(0.5352614, rel=1e-6)


@given(st.floats(0.0, 11.0), st.floats(0.0, 8.0), st.sampled_from([1.0, 1.5, 2.5]))
def test_a_paraboloid_finds_the_middle_of_a_gaussian(x, y, sigma):
    heat = gaussians(torch.tensor([[[x, y]]], dtype=torch.float64), (9, 12), sigma)
    torch.testing.assert_close(
        quadratic_peak(heat), torch.tensor([[[x, y]]], dtype=torch.float64), atol=1e-6, rtol=0
    )


@given(st.floats(6.0, 8.0), st.floats(6.0, 8.0))
def test_the_centre_of_mass_is_near_the_middle_of_a_gaussian(x, y):
    heat = gaussians(torch.tensor([[[x, y]]]), (15, 15), 1.5)
    # The window is cut off at whole cells around the highest one, at three sigma.
    torch.testing.assert_close(soft_argmax(heat, 1.5), torch.tensor([[[x, y]]]), atol=0.03, rtol=0)


def test_a_border_draws_no_peak_inwards():
    heat = gaussians(torch.tensor([[[0.2, 7.0]]]), (15, 15), 1.5)
    torch.testing.assert_close(soft_argmax(heat, 1.5), torch.tensor([[[0.2, 7.0]]]), atol=0.5, rtol=0)


def test_windows_are_empty_beyond_the_border():
    heat = torch.arange(12.0).view(1, 1, 3, 4)
    found = windows(heat, torch.tensor([[0]]), torch.tensor([[2]]), 1)
    assert found[0, 0].tolist() == [[0, 4, 5], [0, 8, 9], [0, 0, 0]]


@pytest.mark.parametrize("heat", [torch.zeros(1, 2, 5, 5), torch.ones(1, 2, 5, 5), torch.zeros(1, 2, 1, 2)])
def test_flat_maps_have_a_place(heat):
    assert torch.isfinite(quadratic_peak(heat)).all()
    assert torch.isfinite(soft_argmax(heat, 1.0)).all()


def test_the_highest_cell_keeps_its_distance_where_it_is_asked_to():
    heat = torch.zeros(1, 1, 4, 5)
    heat[0, 0, 3, 0] = 2.0
    assert [float(part) for part in highest(heat)] == [2, 0, 3]
    assert [float(part) for part in highest(heat, margin=1)] == [2, 1, 2]
