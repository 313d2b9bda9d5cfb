"""Feature maps of every architecture of timm that gives them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import NonNegativeInt, OpenFraction, PositiveInt
from trainwright.models.timm_model import default_cfg, unknown_option, unsuitable_size
from trainwright.models.timm_pretrained import pretrained_path


class TimmMaps(nn.Module):
    """A network of timm cut behind its stages.

    Args:
        network: Made with `features_only`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        info: Any = network.feature_info
        self.channels: tuple[int, ...] = tuple(info.channels())
        self.strides: tuple[int, ...] = tuple(info.reduction())
        # Some networks (Swin) keep the channels in the last place.
        self.channels_last = getattr(network, "output_fmt", None) is not None and str(network.output_fmt) in (
            "NHWC",
            "Format.NHWC",
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images `[B, C, H, W]` to maps `[B, channels[i], ~H / strides[i], ~W / strides[i]]`."""
        maps: list[Tensor] = self.network(image)
        return [map.permute(0, 3, 1, 2) for map in maps] if self.channels_last else maps


def timm_maps(
    architecture: str,
    in_channels: int,
    image_size: tuple[int, int],
    *,
    pretrained: bool = False,
    finest: PositiveInt = 4,
    levels: PositiveInt | None = None,
    drop_path_rate: OpenFraction = 0.0,
    frozen_stages: NonNegativeInt = 0,
    options: dict[str, Any] = {},  # noqa: B006 - never changed
) -> nn.Module:
    """Maps of a network of timm by its name, such as `resnet18` or `mobilenetv3_large_100.ra_in1k`.

    Args:
        architecture: timm's name; a tag behind a dot chooses among its published weights.
        in_channels: Channels of the image.
        image_size: Height and width in pixels.
        pretrained: Start from the published weights, from timm's cache or the network.
        finest: Maps finer than this stride are left out; transformers have one stride only, which counts.
        levels: Number of maps, from the finest one; all when absent.
        drop_path_rate: Stochastic depth.
        frozen_stages: Stages, from the first, that are not trained.
        options: Further arguments of the architecture's own constructor.

    Raises:
        ModelError: Unknown architecture or option, one without maps, or an image size that it cannot read.
    """
    default = default_cfg(architecture)
    arguments: dict[str, Any] = {"in_chans": in_channels, **options}
    if drop_path_rate:
        arguments["drop_path_rate"] = drop_path_rate
    if default.get("fixed_input_size"):
        arguments.setdefault("img_size", tuple(image_size))
    if pretrained:
        arguments["pretrained_cfg_overlay"] = {"file": str(pretrained_path(architecture, default))}
    try:
        with torch.device("meta"):
            strides = _network(architecture, arguments).feature_info.reduction()
        chosen = _chosen(architecture, strides, finest, levels)
        load = pretrained and torch.get_default_device().type != "meta"
        network = _network(architecture, arguments | {"pretrained": load, "out_indices": chosen})
    except TypeError as error:
        raise unknown_option(architecture, error, arguments) from error
    except (AssertionError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise _unsuitable(architecture, image_size, default, error) from error
    _freeze(network, frozen_stages)
    return TimmMaps(network)


def _network(architecture: str, arguments: dict[str, Any]) -> Any:
    # timm imports its 100 model files and torchvision at once, which takes seconds: only here.
    import timm

    return timm.create_model(architecture, features_only=True, **arguments)


def _chosen(architecture: str, strides: list[int], finest: int, levels: int | None) -> tuple[int, ...]:
    """Places of the maps that are wanted."""
    kept = [place for place, stride in enumerate(strides) if stride >= finest] or [len(strides) - 1]
    if levels is not None and levels > len(kept):
        raise ModelError(
            f"{architecture} has {len(kept)} maps of stride {finest} and more, not {levels}",
            where="model.backbone.levels",
            why=f"their strides are {', '.join(str(strides[place]) for place in kept)}",
            fix="ask for fewer, or let the neck add coarser ones with `extra`",
        )
    return tuple(kept[:levels])


def _unsuitable(
    architecture: str, image_size: tuple[int, int], default: dict[str, Any], error: Exception
) -> ModelError:
    if "feature" not in str(error):
        return unsuitable_size(architecture, image_size, default, error)
    return ModelError(
        f"{architecture} gives no feature maps",
        where="model.backbone",
        why=str(error).splitlines()[0],
        fix="choose another architecture, such as resnet18",
    )


def _freeze(network: nn.Module, stages: int) -> None:
    """Stops the training of the first children that hold parameters."""
    held = [child for child in network.children() if next(child.parameters(), None) is not None]
    for child in held[:stages]:
        child.requires_grad_(False)
