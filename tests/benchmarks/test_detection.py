"""What the comparison of detectors feeds to torchvision's, and its schedule."""

from __future__ import annotations

import pytest
import torch

from benchmarks.workloads.detection import blood_cells, networks


def one_picture(boxes):
    image = torch.zeros(1, 3, blood_cells.SHAPE.height, blood_cells.SHAPE.width)
    x1, y1, x2, y2 = boxes[0].int().tolist()
    image[0, :, y1:y2, x1:x2] = 1
    return blood_cells.Pictures(image, [boxes], [torch.tensor([1])])


def test_boxes_are_mirrored_with_their_picture():
    data = one_picture(torch.tensor([[10.0, 20, 50, 90]]))
    seen = set()
    for seed in range(20):
        blood_cells.random.seed(seed)
        image, truth = blood_cells._mirrored(data, 0)
        x1, y1, x2, y2 = truth["boxes"][0].int().tolist()
        assert image[:, y1:y2, x1:x2].min() == 1 and image.sum() == 3 * (x2 - x1) * (y2 - y1)
        seen.add((x1, y1))
    assert len(seen) == 4
    assert data.boxes[0].tolist() == [[10.0, 20, 50, 90]]


def test_the_rate_rises_to_its_highest_and_falls_to_nothing():
    rates = [blood_cells.one_cycle(share / 100) for share in range(101)]
    assert rates[30] == pytest.approx(1) == max(rates)
    assert rates[0] == pytest.approx(0.04) and rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[:31] == sorted(rates[:31]) and rates[30:] == sorted(rates[30:], reverse=True)


@pytest.mark.parametrize("kind", networks.KINDS)
def test_detectors_are_of_one_size(kind):
    ours, theirs = (
        sum(p.numel() for p in make(kind, blood_cells.SHAPE, 3).parameters())
        for make in (networks.ours, networks.torchvision)
    )
    # torchvision's convolutions have a bias in front of the normalisation, and a scale per level is ours.
    assert theirs == pytest.approx(ours, rel=2e-3)


def test_a_perfect_answer_scores_one():
    data = one_picture(torch.tensor([[10.0, 20, 50, 90]]))

    class Perfect(torch.nn.Module):
        def forward(self, images):
            found = {"boxes": data.boxes[0], "labels": data.labels[0], "scores": torch.ones(1)}
            return [found for _ in images]

    assert blood_cells.scored(Perfect(), data)["map50"] == pytest.approx(1)
