"""A head of one's own: the corners of a door as centres of attention."""

import torch
from torch import Tensor, nn

TARGETS = ("keypoints",)


class CornerHead(nn.Module):
    """Looks for each corner in a map of its own; the corner is the centre of mass of that map.

    Args:
        target: What is learned: its shape is (objects, points, 3).
        channels: Channels of the feature maps, the finest first.
        strides: Pixels of the picture per cell of each map.
        width: Channels of the layer in between.
    """

    def __init__(
        self, target, channels: tuple[int, ...], strides: tuple[int, ...], *, width: int = 32
    ) -> None:
        super().__init__()
        self.stride = strides[0]
        self.layers = nn.Sequential(
            nn.Conv2d(channels[0], width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, target.shape[1], 1)
        )

    def corners(self, features: list[Tensor]) -> Tensor:
        """x and y of the corners in pixels, `[B, 4, 2]`."""
        maps = self.layers(features[0]).float()
        share = maps.flatten(2).softmax(2).view_as(maps)
        height, width = maps.shape[2:]
        x = (share.sum(2) * (torch.arange(width, device=maps.device) + 0.5)).sum(2)
        y = (share.sum(3) * (torch.arange(height, device=maps.device) + 0.5)).sum(2)
        return torch.stack([x, y], 2) * self.stride

    def loss(self, features: list[Tensor], target: dict[str, Tensor]) -> Tensor:
        """Mean distance in pixels over the corners that can be seen, `[B]`."""
        points = target["points"][:, 0]
        seen = points[..., 2] > 0
        distance = (self.corners(features) - points[..., :2]).abs().sum(2)
        return torch.where(seen, distance, 0.0).sum(1) / seen.sum(1).clamp(min=1)

    def predict(self, features: list[Tensor]) -> dict[str, Tensor]:
        """The one door of each picture, in the form of the target."""
        corners = self.corners(features)
        certain = torch.ones_like(corners[..., :1])
        return {
            "boxes": torch.cat([corners.amin(1), corners.amax(1)], 1)[:, None],
            "labels": torch.zeros(len(corners), 1, dtype=torch.int64, device=corners.device),
            "scores": certain[:, :1, 0],
            "points": torch.cat([corners, certain], 2)[:, None],
        }
