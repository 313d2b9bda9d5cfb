"""The path aggregation network: sizes, and which level knows of which."""

import torch

from trainwright.models.necks.pan import pan


def test_every_level_knows_of_every_map_of_the_backbone():
    neck = pan((4, 6, 8), (4, 8, 16), width=5, extra=1)
    maps = [
        torch.randn(1, count, *size, requires_grad=True)
        for count, size in [(4, (13, 9)), (6, (7, 5)), (8, (4, 3))]
    ]
    levels = neck(maps)
    assert [tuple(level.shape) for level in levels] == [
        (1, 5, 13, 9),
        (1, 5, 7, 5),
        (1, 5, 4, 3),
        (1, 5, 2, 2),
    ]
    assert neck.strides == (4, 8, 16, 32)
    for level in levels:
        gradients = torch.autograd.grad(level.sum(), maps, retain_graph=True, allow_unused=True)
        reached = [gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients]
        assert all(reached)


def test_a_fine_detail_reaches_the_coarsest_level_by_the_way_up():
    """Without that way, the finest map of a feature pyramid says nothing to the levels above it."""
    neck = pan((4, 6), (4, 8), width=5)
    maps = [torch.randn(1, 4, 8, 8), torch.randn(1, 6, 4, 4)]
    changed = [maps[0] + 1, maps[1]]
    assert not torch.equal(neck(maps)[1], neck(changed)[1])
    assert torch.equal(neck.pyramid(maps)[1], neck.pyramid(changed)[1])
