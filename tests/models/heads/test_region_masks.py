"""Masks from the picture to boxes and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainwright.data.processors.outlines import pasted as pasted_in_numpy
from trainwright.models.heads.region_masks import cropped, mask_overlaps, pasted


def disc(size=(60, 80), centre=(30, 40), radius=20):
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return torch.from_numpy(((x - centre[1]) ** 2 + (y - centre[0]) ** 2 < radius**2).astype(np.uint8))


def test_a_mask_comes_back_from_its_box():
    mask = disc()
    box = torch.tensor([[20.0, 10, 60, 50]])
    crop = cropped(mask[None, None], torch.zeros(1, 1, dtype=torch.long), box[None], (60, 80), 28)
    again = pasted(crop[0], box, (60, 80))
    assert float(mask_overlaps(again, mask[None] > 0)) > 0.95
    assert not again[0, :10].any() and not again[0, :, 60:].any()


def test_cells_hold_what_most_of_their_points_hold():
    mask = torch.zeros(1, 2, 8, 8, dtype=torch.uint8)
    mask[0, 1, :, :3] = 1
    owner, boxes = torch.tensor([[1, 0]]), torch.tensor([[[0.0, 0, 8, 8], [0, 0, 8, 8]]])
    crop = cropped(mask, owner, boxes, (8, 8), 4)
    # Cells of two pixels: the second column holds one of them.
    assert crop[0, 0].tolist() == [[1, 1, 0, 0]] * 4
    assert crop[0, 1].sum() == 0


def test_a_mask_of_another_size_is_read_where_it_lies_in_the_picture():
    half = disc()[::2, ::2]
    boxes = torch.tensor([[[20.0, 10, 60, 50]]])
    owner = torch.zeros(1, 1, dtype=torch.long)
    whole = cropped(disc()[None, None], owner, boxes, (60, 80), 28)
    small = cropped(half[None, None], owner, boxes, (60, 80), 28)
    assert float((whole != small).float().mean()) < 0.1


@pytest.mark.parametrize(
    "box",
    [[0.0, 0, 30, 20], [3.3, 4.4, 17.8, 12.1], [5, 5, 5, 9], [29.9, 19.9, 30, 20], [4.2, 4.2, 4.9, 4.9]],
)
def test_two_ways_of_pasting_agree(box):
    crop = torch.randint(0, 256, (1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    ours = pasted(crop.float() / 255, torch.tensor([box]), (20, 30))[0].numpy()
    [theirs] = pasted_in_numpy(crop.numpy(), np.array([box]), (20, 30))
    assert (ours != theirs).sum() <= 1  # rounding, at a value of one half


def test_overlaps_are_those_of_coco():
    masks = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    one, other = rng.random((5, 30, 40)) < 0.4, rng.random((4, 30, 40)) < 0.5
    one[0] = False
    encoded = [
        [masks.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in group] for group in (one, other)
    ]
    want = masks.iou(*encoded, [0] * 4)
    found = mask_overlaps(torch.from_numpy(one), torch.from_numpy(other))
    np.testing.assert_allclose(found.numpy(), want, atol=1e-6)
    assert mask_overlaps(torch.zeros(1, 3, 3) > 0, torch.zeros(2, 3, 3) > 0).tolist() == [[0, 0]]
