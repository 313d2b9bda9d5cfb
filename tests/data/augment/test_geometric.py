"""What moves pixels: a marked spot, its box, its mask and its point land together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.augment.affine import Affine
from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.flip import Flip
from trainwright.data.augment.perspective import Perspective
from trainwright.data.augment.rand_augment import RandAugment
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.augment.resized_crop import ResizedCrop
from trainwright.data.augment.rotation import Rotation
from trainwright.data.augment.scene import Scene
from trainwright.data.augment.warp import Warp, shifts

COUNT, HEIGHT, WIDTH = 24, 48, 64
MOVERS: dict[str, Geometric] = {
    "flip": Flip(),
    "flip vertically": Flip(axis="vertical"),
    "crop": RandomCrop(padding=6),
    "small crop": RandomCrop(padding=0, size=[40, 50]),
    "resized crop": ResizedCrop(size=[50, 70], smallest=0.5),
    "affine": Affine(degrees=30, shear=10, shift=0.2),
    "rotation": Rotation(degrees=180),
    "perspective": Perspective(probability=1.0),
    "rand augment": RandAugment(count=3),
}


def spots(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres of a square of 6 x 6 pixels in each picture, at least 3 from its edges, and the pictures."""
    generator = np.random.default_rng(seed)
    x = generator.integers(6, WIDTH - 6, COUNT)
    y = generator.integers(6, HEIGHT - 6, COUNT)
    images = np.zeros((COUNT, HEIGHT, WIDTH, 1), np.uint8)
    for place in range(COUNT):
        images[place, y[place] - 3 : y[place] + 3, x[place] - 3 : x[place] + 3] = 255
    return x, y, images


def scene_of(x: np.ndarray, y: np.ndarray, images: np.ndarray) -> Scene:
    boxes = torch.from_numpy(np.stack([x - 3, y - 3, x + 3, y + 3], 1)).float()[:, None]
    labels = torch.zeros(COUNT, 1, dtype=torch.int64)
    points = torch.from_numpy(np.stack([x, y, np.full(COUNT, 2)], 1)).float()[:, None, None]
    pixels = torch.from_numpy(images)
    binary = (pixels[..., 0] > 0).to(torch.uint8)
    return Scene(
        images={"image": pixels},
        masks={"mask": binary},
        objects={
            "boxes": {"boxes": boxes, "labels": labels},
            "points": {"boxes": boxes, "labels": labels, "points": points},
            "instances": {"boxes": boxes, "labels": labels, "masks": binary[:, None]},
        },
        sizes=dict.fromkeys(("boxes", "points", "instances"), (HEIGHT, WIDTH)),
        void={"mask": 7},
    )


@pytest.mark.parametrize("name", MOVERS)
@settings(max_examples=12)
@given(seed=st.integers(0, 10_000))
def test_spot_box_mask_and_point_land_together(name: str, seed: int) -> None:
    mover = MOVERS[name]
    x, y, images = spots(seed)
    scene = scene_of(x, y, images).moved(mover, Address(seed, 0, np.arange(COUNT), 0))
    moved = scene.images["image"]
    if name == "rand augment":  # without its colours
        moved = mover.warp((HEIGHT, WIDTH), Address(seed, 0, np.arange(COUNT), 0)).pixels(
            torch.from_numpy(images)
        )
    found = moved[..., 0].numpy().astype(float)
    rows, columns = np.mgrid[0 : found.shape[1], 0 : found.shape[2]] + 0.5
    assert scene.masks["mask"].shape == scene.images["image"].shape[:3]
    for place in range(COUNT):
        spot = found[place]
        box = scene.objects["boxes"]["boxes"][place, 0].numpy()
        point = scene.objects["points"]["points"][place, 0, 0].numpy()
        mask = scene.masks["mask"][place].numpy() == 1
        whole = (
            scene.objects["boxes"]["labels"][place, 0] == 0
            and ((box > 1) & (box < np.array([*found.shape[:0:-1]] * 2) - 1)).all()
        )
        if not whole:
            continue
        centre = (spot * columns).sum() / spot.sum(), (spot * rows).sum() / spot.sum()
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        assert centre == pytest.approx(middle, abs=0.8)
        assert point[2] == 2 and point[:2] == pytest.approx(centre, abs=0.8)
        # Each side may gain or lose half of a pixel at either end.
        around = float(box[2] - box[0] + box[3] - box[1])
        assert mask.sum() == pytest.approx(spot.sum() / 255, abs=around)
        assert (np.mean(columns[mask]), np.mean(rows[mask])) == pytest.approx(centre, abs=0.8)
        inside = scene.objects["instances"]["masks"][place, 0].numpy() == 1
        assert np.array_equal(inside, mask)
        strong = spot > 128
        assert columns[strong].min() >= box[0] - 0.6 and columns[strong].max() <= box[2] + 0.6
        assert rows[strong].min() >= box[1] - 0.6 and rows[strong].max() <= box[3] + 0.6


@pytest.mark.parametrize("name", MOVERS)
def test_exact_warps_move_pixels_as_their_matrices_say(name: str) -> None:
    """A gather by the matrices, one pixel at a time, gives what the fast path copies."""
    if name not in ("flip", "flip vertically", "crop", "small crop"):
        pytest.skip("it interpolates")
    images = np.random.default_rng(0).integers(0, 256, (COUNT, HEIGHT, WIDTH, 3), dtype=np.uint8)
    warp = MOVERS[name].warp((HEIGHT, WIDTH), Address(3, 1, np.arange(COUNT), 0))
    found = warp.pixels(torch.from_numpy(images)).numpy()
    general = Warp(warp.matrices, warp.source, warp.size, "zero")
    slow = general.nearest(torch.from_numpy(images), 0).numpy()
    assert np.array_equal(found, slow)


@pytest.mark.parametrize("name", ["crop", "small crop"])
def test_windows_of_values_whose_last_axis_is_a_view(name: str) -> None:
    """An axis of length 1 may have any stride."""
    values = np.random.default_rng(0).integers(0, 9, (COUNT, 1, HEIGHT, WIDTH), dtype=np.uint8)
    warp = MOVERS[name].warp((HEIGHT, WIDTH), Address(3, 1, np.arange(COUNT), 0))
    found = warp.nearest(torch.from_numpy(values).permute(0, 2, 3, 1), 0)
    expected = warp.nearest(torch.from_numpy(values[:, 0, :, :, None].copy()), 0)
    assert torch.equal(found, expected)


def test_boxes_that_leave_are_gone_and_others_clipped() -> None:
    warp = Warp(shifts(np.array([-50.0]), np.array([0.0])), (48, 64), (48, 64))
    boxes = torch.tensor([[[0.0, 0, 50, 20], [40, 0, 60, 20], [45, 10, 55, 20], [0, 0, 0, 0]]])
    labels = torch.tensor([[3, 4, 5, -1]])
    found = warp.objects({"boxes": boxes, "labels": labels}, 0.5, None)
    assert found["labels"].tolist() == [[-1, 4, 5, -1]]
    assert found["boxes"].tolist() == [[[0, 0, 0, 0], [0, 0, 10, 20], [0, 10, 5, 20], [0, 0, 0, 0]]]
    assert warp.objects({"boxes": boxes, "labels": labels}, 0.51, None)["labels"].tolist() == [
        [-1, -1, -1, -1]
    ]


@pytest.mark.parametrize("axis", ["horizontal", "vertical"])
def test_left_and_right_change_places_in_a_mirror_and_not_in_a_turn(axis: str) -> None:
    points = torch.tensor([[[[10.0, 5, 2], [20, 6, 1], [30, 7, 0]]]])
    objects = {"boxes": torch.tensor([[[0.0, 0, 64, 48]]]), "labels": torch.tensor([[0]]), "points": points}
    address = Address(0, 0, np.arange(1), 0)
    warp = Flip(axis=axis, probability=1.0).warp((48, 64), address)  # type: ignore[arg-type]
    found = warp.objects(objects, 0.2, [0, 2, 1])["points"][0, 0].tolist()
    if axis == "horizontal":
        assert found == [[54, 5, 2], [0, 0, 0], [44, 6, 1]]
    else:
        assert found == [[10, 43, 2], [0, 0, 0], [20, 42, 1]]
    turned = Rotation(degrees=90).warp((48, 64), address).objects(objects, 0.0, [0, 2, 1])
    assert turned["points"][0, 0, 2].tolist() == [0, 0, 0]


def test_outside_of_a_mask_is_void() -> None:
    mask = torch.ones(4, 20, 20, dtype=torch.uint8)
    scene = Scene({}, masks={"mask": mask}, void={"mask": 255}).moved(
        Rotation(degrees=45), Address(0, 0, np.arange(4), 0)
    )
    assert set(scene.masks["mask"].unique().tolist()) == {1, 255}
    padded = Scene({}, masks={"mask": mask}, void={"mask": 255}).moved(
        RandomCrop(padding=5), Address(0, 0, np.arange(4), 0)
    )
    assert set(padded.masks["mask"].unique().tolist()) == {1, 255}
