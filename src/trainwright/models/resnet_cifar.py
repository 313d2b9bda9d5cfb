"""Residual networks for images of about 32 pixels a side."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.fields import PositiveInt


class PadShortcut(nn.Module):
    """Option A of He et al. 2016: every second pixel, and zeros for the new channels. No parameters.

    Args:
        added: Number of channels to add, half of them on either side.
    """

    def __init__(self, added: int) -> None:
        super().__init__()
        self.before, self.after = added // 2, added - added // 2

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, H, W]` to `[B, C + added, ceil(H / 2), ceil(W / 2)]`."""
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.before, self.after))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int, width: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            self.shortcut = (
                PadShortcut(width - channels)
                if shortcut == "A"
                else nn.Sequential(
                    nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        """`[B, channels, H, W]` to `[B, width, H / stride, W / stride]`."""
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out, inplace=True)


class ResNetCifar(nn.Module):
    """The network of section 4.2 of He et al., "Deep residual learning", CVPR 2016.

    Names of its weights are those of the widely used akamaster/pytorch_resnet_cifar10.
    """

    def __init__(self, blocks: int, width: int, shortcut: str, in_channels: int, num_outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, blocks, 1, shortcut)
        self.layer2 = _stage(width, 2 * width, blocks, 2, shortcut)
        self.layer3 = _stage(2 * width, 4 * width, blocks, 2, shortcut)
        self.linear: nn.Module = nn.Linear(4 * width, num_outputs) if num_outputs else nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Images `[B, C, H, W]` to `[B, num_outputs]`."""
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.layer3(self.layer2(self.layer1(out)))
        result: Tensor = self.linear(out.mean((2, 3)))
        return result


def _stage(channels: int, width: int, blocks: int, stride: int, shortcut: str) -> nn.Sequential:
    first = BasicBlock(channels, width, stride, shortcut)
    return nn.Sequential(first, *(BasicBlock(width, width, 1, shortcut) for _ in range(blocks - 1)))


def resnet_cifar(
    in_channels: int,
    num_outputs: int,
    *,
    depth: Literal[20, 32, 44, 56, 110] = 20,
    shortcut: Literal["A", "B"] = "A",
    width: PositiveInt = 16,
) -> nn.Module:
    """ResNet-20 to ResNet-110 for 32-pixel images.

    Args:
        in_channels: Channels of the image.
        num_outputs: Width of the output `[B, num_outputs]`; 0 gives the `4 * width` pooled features.
        depth: Layers with weights, `6 n + 2`.
        shortcut: `A` pads with zeros (the paper's choice for CIFAR-10), `B` projects by 1x1 convolution.
        width: Channels of the first stage; the second has twice, the third four times as many.
    """
    return ResNetCifar((depth - 2) // 6, width, shortcut, in_channels, num_outputs)
