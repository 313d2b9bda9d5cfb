"""Augmentations that move pixels one after the other, and in one go where that is the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainwright.data.augment.affine import Affine
from trainwright.data.augment.base import Address, Augment
from trainwright.data.augment.blur import Blur
from trainwright.data.augment.chain import Chain
from trainwright.data.augment.flip import Flip
from trainwright.data.augment.mixup import Mixup
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.augment.resized_crop import ResizedCrop, ResizedWindow
from trainwright.data.augment.trivial_augment import TrivialAugment
from trainwright.data.processors.image import ImageProcessor

IDS = np.array([7, 1, 30, 4, 12, 99, 2])


def images(side: int) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(side).integers(0, 256, (len(IDS), side, side + 2, 3), np.uint8)
    )


CHAINS: dict[str, list[Augment]] = {
    "crop_flip": [ResizedCrop(), Flip()],
    "both_flips": [ResizedCrop(), Flip(), Flip(axis="vertical"), Flip()],
    "upside_down": [ResizedCrop(size=[9, 8]), Flip(axis="vertical")],
    "window_first": [
        RandomCrop(padding=2),
        ResizedCrop(size=[12, 20]),
        Flip(),
        RandomCrop(padding=0, size=[9, 9]),
    ],
    "colour_between": [Flip(), ResizedCrop(), Blur(), Flip(), Affine()],
    "own_way": [ResizedCrop(), TrivialAugment(), Flip()],
}


@pytest.mark.parametrize("side", [20, 70])  # windows resized all at once, and one by one
@pytest.mark.parametrize("name", CHAINS)
def test_the_pixels_are_those_of_one_after_the_other(name: str, side: int) -> None:
    expected = images(side)
    for place, item in enumerate(CHAINS[name]):
        expected = item(expected, Address(5, 3, IDS, place))
    chain = Chain(CHAINS[name], {"image": ImageProcessor(size=[side, side + 2])}, {}, 5)
    assert torch.equal(chain({"image": images(side)}, IDS, 3, len(IDS))["image"], expected)


def test_a_mirror_image_is_made_while_windows_are_resized() -> None:
    address = Address(0, 0, IDS, 0)
    window = ResizedCrop().warp((20, 22), address)
    both = window.then(Flip(probability=1.0).warp(window.size, address))
    assert isinstance(both, ResizedWindow)
    assert torch.equal(both.pixels(images(20)), window.pixels(images(20)).flip(2))
    corner = torch.tensor([[0.0, 0.0]]).expand(len(IDS), 1, 2)
    turned = window.points(corner) * torch.tensor([-1.0, 1.0]) + torch.tensor([22.0, 0.0])
    torch.testing.assert_close(both.points(corner), turned)
    assert window.then(Flip(axis="vertical").warp(window.size, address)) is None
    assert both.then(Flip().warp(window.size, address)) is None


def test_partners_of_a_mixing_one_go_the_same_way() -> None:
    augments = [ResizedCrop(), Flip(), Mixup()]
    chain = Chain(augments, {"image": ImageProcessor(size=20)}, {}, 5)
    ids = chain.with_partners(IDS[:3], IDS, 1)
    rows = {row: place for place, row in enumerate(IDS.tolist())}
    stored = images(20)[[rows[row] for row in ids.tolist()]]
    found = chain({"image": stored}, ids, 1, 3)["image"]
    assert isinstance(found, torch.Tensor)
    alone = chain({"image": stored[[1, 4]]}, ids[[1, 4]], 1, 1)["image"]
    assert isinstance(alone, torch.Tensor)
    assert torch.equal(found[1:2], alone)
