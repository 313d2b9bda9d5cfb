"""Image to image on a pyramid, and the sub-pixel convolution below it."""

import pytest
import torch

from trainwright.data.types import TensorSpec
from trainwright.models.heads.restore import Restore
from trainwright.models.heads.sub_pixel import SubPixel

SIZE = (10, 19)


@pytest.fixture
def features():
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(2, *size, generator=draw) for size in [(4, 3, 5), (6, 2, 3)]]


def image(channels=3):
    return torch.rand(2, channels, *SIZE, generator=torch.Generator().manual_seed(1))


def head(inside=3, outside=3):
    torch.manual_seed(0)
    return Restore(TensorSpec("image", (outside, *SIZE)), (4, 6), (4, 8), inside, width=8, detail=4)


def test_at_the_start_the_answer_is_the_picture(features):
    torch.testing.assert_close(head()(features, image()), image())


def test_other_channels_begin_with_the_mean(features):
    gray = image(1)
    torch.testing.assert_close(head(1, 3)(features, gray), gray.expand(-1, 3, -1, -1))
    torch.testing.assert_close(head(3, 1)(features, image()), image().mean(1, keepdim=True))


def test_gradients_reach_maps_and_parameters(features):
    restore = head()
    torch.nn.init.normal_(restore.join[-1].weight)
    maps = [map.requires_grad_() for map in features]
    restore(maps, image()).square().mean().backward()
    assert all(map.grad.abs().sum() > 0 for map in maps)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in restore.parameters())


def test_no_sample_depends_on_another(features):
    restore = head()
    torch.nn.init.normal_(restore.join[-1].weight)
    whole = restore(features, image())
    alone = [restore([map[[place]] for map in features], image()[[place]]) for place in range(2)]
    torch.testing.assert_close(whole, torch.cat(alone))


def test_every_cell_gives_its_own_pixels():
    layer = SubPixel(2, 3, 4)
    map = torch.zeros(1, 2, 3, 5)
    map[0, :, 1, 2] = 1
    pixels = layer(map, (12, 20))
    lit = pixels.abs().sum((0, 1)) > 0
    assert lit[4:8, 8:12].all() and lit.sum() == 16
    # All alike at the start: no checkerboard.
    torch.testing.assert_close(pixels[0, :, 4:8, 8:12], pixels[0, :, 4:5, 8:9].expand(-1, 4, 4))
    assert torch.equal(layer(map, (10, 19)), pixels[:, :, :10, :19])
