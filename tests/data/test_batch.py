"""Memory formats whose strides leave nothing open."""

from __future__ import annotations

import pytest
import torch

from trainwright.data.batch import laid_out

SHAPES = [(2, 1, 4, 5), (2, 3, 4, 5), (1, 1, 4, 5), (3, 1, 1, 1), (2, 3, 1, 1), (2, 1, 1, 5)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels_last", [True, False])
def test_one_format_has_one_set_of_strides(shape, channels_last):
    batch, channels, height, width = shape
    plain = torch.arange(batch * channels * height * width, dtype=torch.float32).reshape(shape)
    # As processors make them (from [B, H, W, C]), as padding makes them, and as a slice of a larger batch.
    forms = [
        plain,
        plain.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        torch.cat([plain[:1], plain[:1].expand(batch, -1, -1, -1)[1:]]) if batch == 1 else plain.clone(),
        torch.cat([plain, plain])[:batch],
    ]
    laid = [laid_out(form, channels_last=channels_last) for form in forms]
    assert len({tuple(item.stride()) for item in laid}) == 1
    assert all(torch.equal(item, plain) for item in laid)
    memory = laid[0].permute(0, 2, 3, 1) if channels_last else laid[0]
    expected = torch.empty(memory.shape).stride()
    assert tuple(memory.stride()) == tuple(expected)


def test_nothing_is_copied_where_the_memory_is_the_same():
    grey = torch.rand(2, 1, 4, 4)
    for channels_last in (True, False):
        assert laid_out(grey, channels_last=channels_last).data_ptr() == grey.data_ptr()
