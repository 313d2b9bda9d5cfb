"""Detectors on one backbone and a feature pyramid of one width: ours, and those of torchvision."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

STRIDES = (8, 16, 32)
KINDS = ("fcos", "retinanet")
SIZES = (2.5, 3.5)  # of the anchors of both retinanets, in cells
RATIOS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Shape:
    """What all detectors of a comparison have in common.

    Attributes:
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        channels: Of every level of the pyramid.
        depth: 3x3 convolutions in front of the outputs.
        backbone: A component of ours with maps of stride 8, 16 and 32.
    """

    height: int
    width: int
    channels: int = 64
    depth: int = 4
    backbone: str = "small"


def body(shape: Shape) -> nn.Module:
    """The backbone of all of them."""
    from trainwright import registry

    spec = {"name": shape.backbone, "finest": 8}
    made: nn.Module = registry.build(
        "backbone", spec, where="model.backbone", in_channels=3, image_size=(shape.height, shape.width)
    )
    return made


def ours(kind: str, shape: Shape, classes: int) -> nn.Module:
    """The model `pyramid` with one head."""
    from trainwright.data.types import TensorSpec
    from trainwright.models.pyramid import pyramid

    head = {"name": kind, "depth": shape.depth}
    if kind == "retinanet":
        head |= {"sizes": list(SIZES), "ratios": list(RATIOS)}
    names = tuple(map(str, range(classes)))
    return pyramid(
        {"image": TensorSpec("image", (3, shape.height, shape.width))},
        {"objects": TensorSpec("boxes", (1, 4), "float32", names)},
        {"objects": None},
        {"objects": None},
        backbone={"name": shape.backbone, "finest": 8},
        neck={"name": "fpn", "width": shape.channels},
        heads={"objects": head},
    )


class TorchvisionBody(nn.Module):
    """The backbone with torchvision's feature pyramid, in the form that its detectors take."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        from torchvision.ops import FeaturePyramidNetwork

        self.maps = body(shape)
        self.fpn = FeaturePyramidNetwork(list(self.maps.channels), shape.channels)  # type: ignore[call-overload]
        self.out_channels = shape.channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Levels by name."""
        found: dict[str, Tensor] = self.fpn(
            OrderedDict((str(level), map) for level, map in enumerate(self.maps(images)))
        )
        return found


def torchvision(kind: str, shape: Shape, classes: int) -> nn.Module:
    """torchvision's detector of that kind; pictures come normalised and in their final size."""
    from torchvision.models import detection
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.fcos import FCOSHead
    from torchvision.models.detection.retinanet import RetinaNetHead

    given = {
        "min_size": min(shape.height, shape.width),
        "max_size": max(shape.height, shape.width),
        "image_mean": [0.0] * 3,
        "image_std": [1.0] * 3,
    }
    network = TorchvisionBody(shape)
    # As their own constructors set them up, but for what is to be equal: levels, anchors, depth, group norm.
    if kind == "fcos":
        anchors = AnchorGenerator(tuple((stride,) for stride in STRIDES), ((1.0,),) * 3)
        head: nn.Module = FCOSHead(shape.channels, 1, classes, num_convs=shape.depth)
        return detection.FCOS(network, classes, anchor_generator=anchors, head=head, **given)
    sizes = tuple(tuple(size * stride for size in SIZES) for stride in STRIDES)
    anchors = AnchorGenerator(sizes, (RATIOS,) * 3)
    head = RetinaNetHead(shape.channels, len(SIZES) * len(RATIOS), classes, norm_layer=_group_norm)
    _cut(head, shape.depth)
    return detection.RetinaNet(network, classes, anchor_generator=anchors, head=head, **given)


def _group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(32, channels)


def _cut(head: nn.Module, depth: int) -> None:
    """Leaves as many convolutions of a RetinaNet's head as are wanted; it has four."""
    for part in ("classification_head", "regression_head"):
        tower = getattr(head, part)
        tower.conv = tower.conv[:depth]
