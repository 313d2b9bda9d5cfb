"""No neck: the backbone's maps as they are."""

from __future__ import annotations

from torch import Tensor, nn


class Plain(nn.Module):
    """Hands the maps on.

    Args:
        channels: Channels of the backbone's maps.
        strides: Their strides.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...]) -> None:
        super().__init__()
        self.channels, self.strides = tuple(channels), tuple(strides)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """The same maps."""
        return maps
