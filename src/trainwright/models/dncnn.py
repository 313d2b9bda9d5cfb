"""DnCNN: a network that foretells what is wrong with a picture (Zhang et al., IEEE TIP 2017)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import PositiveInt

TARGETS = ("image",)


class DnCnn(nn.Module):
    """3x3 convolutions of one width, whose result is taken off the picture.

    Without normalisation the names of its weights are those that are published for known levels of noise
    (cszn/KAIR), whose batch normalisation is merged into the convolutions.
    """

    def __init__(self, channels: int, width: int, depth: int, *, batch_norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1, bias=not batch_norm))
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
        self.model = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1))
        for layer in self.model:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        # At the start the picture is answered as it is, and not under the noise of random weights.
        nn.init.zeros_(self.model[-1].weight)

    def forward(self, image: Tensor) -> Tensor:
        """Pictures `[B, C, H, W]` to better ones of the same shape."""
        result: Tensor = image - self.model(image)
        return result


def dncnn(
    in_channels: int,
    targets: dict[str, TensorSpec],
    *,
    width: PositiveInt = 64,
    depth: Annotated[int, Ge(2)] = 17,
    batch_norm: bool = False,
) -> nn.Module:
    """The residual network for noise and other defects of Zhang et al. 2017, https://arxiv.org/abs/1608.03981.

    It reads pictures of any size. Input and target have to be normalised alike (`normalise: unit`), for the
    answer is the input less what the network sees wrong with it.

    Args:
        in_channels: Channels of the picture.
        targets: One picture.
        width: Channels of every convolution but the last.
        depth: Number of convolutions of 3x3 pixels: the network sees `2 * depth + 1` pixels.
        batch_norm: Batch normalisation behind each convolution but the first and the last, as in the paper.

    Raises:
        ModelError: The target is no picture, or one of other channels.
    """
    shapes = [spec.shape for spec in targets.values() if spec.type == "image"]
    if len(targets) != 1 or len(shapes) != 1 or shapes[0][0] != in_channels:
        listed = ", ".join(f"{name} ({spec.type} {list(spec.shape)})" for name, spec in targets.items())
        raise ModelError(
            f"dncnn answers with one picture of {in_channels} channels, like its input",
            where="model",
            why=f"the targets are {listed}",
            fix="give input and target the same `mode`, or use pyramid",
        )
    return DnCnn(in_channels, width, depth, batch_norm=batch_norm)
