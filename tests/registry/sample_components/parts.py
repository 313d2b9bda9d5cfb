# ruff: noqa: F401
"""Inheritance, aliases, re-exports and constants, as built-in components may use them."""

import math
from typing import Annotated, Any, Literal

from torch_is_not_importable_here import Base

from sample_components.optimizers import adamw as renamed
from sample_components.ranges import HALF, Mode, Percent
from trainwright.fields import ComponentOf, Location, NonNegativeInt, PositiveInt

SIZES = (8, 8)
Size = PositiveInt | list[PositiveInt]


class Schedule:
    """A base class."""

    def __init__(self, total_steps, steps_per_epoch, *, warmup_steps: NonNegativeInt = 0) -> None:
        """Sets it up.

        Args:
            warmup_steps: Steps of linear rise.
        """


class Constant(Schedule):
    """Stays."""


class Cosine(Schedule):
    """Falls."""

    def __init__(
        self, total_steps, steps_per_epoch, *, end: Percent = HALF, turn: float = math.pi
    ) -> None: ...


class ForeignBase(Base):
    """Has no constructor of its own that could be read."""


class Image:
    def __init__(
        self, *, size: Size, mode: Mode = "a", pad: int = -1, mean: tuple[float, ...] = SIZES
    ) -> None: ...


class Category:
    def __init__(self, *, classes: list[str] | None = None) -> None: ...


class Number:
    def __init__(self) -> None: ...


class Folder:
    """Pictures in folders."""

    def __init__(self, data=None, *, root: Location, extensions: list[str] = ["jpg", "png"]) -> None: ...


class Digits:
    """Handwritten digits."""


class Shuffle:
    """Random order."""

    def __init__(self, rows, labels=None) -> None: ...


class Supervised:
    """Learns targets from inputs."""

    def __init__(
        self,
        targets,
        model,
        data,
        *,
        aggregator: Annotated[dict[str, Any], ComponentOf("aggregator", "sum")] = {"name": "sum"},
    ) -> None: ...


def total(sizes, *, scale: float = 1.0) -> None:
    """Adds."""


class Crop:
    def __init__(self, *, padding: NonNegativeInt = 4) -> None: ...


class Flip:
    def __init__(self, *, probability: float = 0.5, direction: Literal["left", "up"] = "left") -> None: ...


def cnn(
    inputs,
    num_outputs,
    *,
    widths: list[PositiveInt] = [16, 32],
    dropout: float = 0.0,
    stem: Annotated[dict[str, Any], ComponentOf("augment", "flip")] | None = None,
) -> None:
    """A small CNN."""


def timm_model(
    num_classes, in_channels, *, architecture: str, pretrained: bool = False, options: dict[str, Any] = {}
):
    """Every model of timm."""


def focal(output, target, class_weights=None, *, gamma: float = 2.0):
    """Focal loss."""


def accuracy(output, target, classes=None):
    """Share that is right."""


def open_ended(params, **options):
    """Takes anything."""


def unannotated(params, *, lr=0.1):
    """Not written as a built-in must be."""
