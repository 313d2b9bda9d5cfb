"""What a head's answer has to look like, by the type of its target: the contract of all heads.

There are two forms of each type: the plain answer, as `predict` gives it, and what scoring keeps where the
truth is known, as `compare` gives it (the plain answer itself where a head has no `compare`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.models.widths import VECTORS, output_width

ALONE = "answer"
"""Name of an answer that is one tensor."""

Size: TypeAlias = "int | str"


@dataclass(frozen=True)
class Part:
    """One tensor of an answer.

    Attributes:
        name: Its name; `answer` where it is alone.
        shape: Behind the batch axis; a letter stands for a size that the head chooses, the same in all parts.
        integer: Whether it has an integer dtype; else a floating one.
        most: Largest value; None where any will do.
        least: Smallest value.
    """

    name: str
    shape: tuple[Size, ...]
    integer: bool = False
    least: int = 0
    most: int | None = None

    def told(self) -> str:
        """In words: `labels` integers [B, K] from -1 to 2."""
        name = "" if self.name == ALONE else f"`{self.name}` "
        range = "" if self.most is None else f" from {self.least} to {self.most}"
        return f"{name}{'integers' if self.integer else 'floats'} {_shape(self.shape)}{range}"


Form: TypeAlias = "tuple[Part, ...]"


def forms_of(spec: TensorSpec, *, kept: bool) -> tuple[Form, ...]:
    """The forms that are read of a target's answer, the usual one first; none where nothing is known of it.

    Args:
        spec: The target.
        kept: What scoring keeps, else the plain answer.
    """
    if spec.type in VECTORS:
        return ((Part(ALONE, (output_width(spec),)),),)
    if spec.type == "image":
        if kept:
            return ((Part("psnr", ()), Part("ssim", ())),)
        return ((Part(ALONE, (spec.shape[0], "H", "W")),),)
    if spec.type == "mask":
        if kept:
            return ((Part("confusion", (len(spec.classes),) * 2, integer=True),),)
        return ((Part(ALONE, spec.shape[-2:], integer=True, most=len(spec.classes) - 1),),)
    if spec.type not in _OBJECTS:
        return ()
    objects = (
        Part("boxes", ("K", 4)),
        Part("labels", ("K",), integer=True, least=-1, most=len(spec.classes) - 1),
        Part("scores", ("K",)),
    )
    return tuple(objects + more for more in _OBJECTS[spec.type](spec, kept))


def _points(spec: TensorSpec, kept: bool) -> tuple[Form, ...]:
    return ((Part("points", ("K", spec.shape[1], 3)),),)


def _instances(spec: TensorSpec, kept: bool) -> tuple[Form, ...]:
    if kept:
        areas = (Part("areas", ("K",)), Part("true_areas", (spec.shape[0],)))
        return ((Part("similarity", ("K", spec.shape[0])), *areas),)
    return (
        (Part("masks", ("K", *spec.shape[-2:]), integer=True, most=1),),
        (Part("crops", ("K", "h", "w"), integer=True, most=255),),
    )


def _in_space(spec: TensorSpec, kept: bool) -> tuple[Form, ...]:
    return ((Part("boxes3d", ("K", 7)),),)


_OBJECTS = {
    "boxes": lambda spec, kept: ((),),
    "keypoints": _points,
    "instances": _instances,
    "boxes3d": _in_space,
}
"""Type -> what an answer has beside boxes, labels and scores."""


def told(form: Form) -> str:
    """A form in words."""
    return ", ".join(part.told() for part in form)


def expected(spec: TensorSpec, *, kept: bool) -> str:
    """What an answer has to be, in words; empty where nothing is known of it."""
    return "; or ".join(told(form) for form in forms_of(spec, kept=kept))


def misfit(
    answer: Mapping[str, Tensor], spec: TensorSpec, samples: int, *, kept: bool, known: Tensor | None = None
) -> str:
    """What is wrong with an answer, in words; empty where it is as it has to be.

    Args:
        answer: By name, without losses; one tensor alone is called `answer`.
        spec: The target.
        samples: Size of the batch axis.
        kept: Whether it is what scoring keeps, else the plain answer.
        known: Samples whose loss is a number, bool `[B]`; the others may have any value.
    """
    forms = forms_of(spec, kept=kept)
    if not forms:
        return ""
    form = next((form for form in forms if all(part.name in answer for part in form)), None)
    if form is None:
        nearest = max(forms, key=lambda form: sum(part.name in answer for part in form))
        return _lacking(answer, nearest)
    sizes: dict[str, int] = {}
    for part in form:
        found = _shape_misfit(part, answer[part.name], samples, sizes)
        if found:
            return found
    there = answer["labels"] >= 0 if "labels" in answer else None
    for part in form:
        found = _value_misfit(part, answer[part.name], known, there)
        if found:
            return found
    return ""


def loss_misfit(losses: Mapping[str, Tensor], samples: int) -> str:
    """What is wrong with a head's losses by name, in words; empty where each is a float per sample `[B]`."""
    for name, value in losses.items():
        called = "the loss" if name == "loss" else f"the part `{name.removeprefix('loss_')}` of the loss"
        if tuple(value.shape) != (samples,):
            return f"{called} has shape {list(value.shape)} for {samples} samples"
        if not value.is_floating_point():
            return f"{called} has dtype {_dtype(value)}"
    return ""


def _lacking(answer: Mapping[str, Tensor], form: Form) -> str:
    if ALONE in answer and form[0].name != ALONE:
        return f"one tensor of shape {list(answer[ALONE].shape)}, not several by name"
    if form[0].name == ALONE:
        return f"a dict of {', '.join(answer) or 'nothing'}, not one tensor"
    missing = [f"`{part.name}`" for part in form if part.name not in answer]
    return f"no {' and no '.join(missing)} (it has {', '.join(answer) or 'nothing'})"


def _shape_misfit(part: Part, value: Tensor, samples: int, sizes: dict[str, int]) -> str:
    name = "values" if part.name == ALONE else f"`{part.name}`"
    wanted = (samples, *(sizes.get(size, size) if isinstance(size, str) else size for size in part.shape))
    shape = tuple(value.shape)
    fits = len(shape) == len(wanted) and all(
        isinstance(want, str) or want == size for want, size in zip(wanted, shape, strict=True)
    )
    if not fits:
        return f"{name} of shape {list(shape)} for {samples} samples, not {_shape(part.shape)}"
    sizes |= {want: size for want, size in zip(wanted, shape, strict=True) if isinstance(want, str)}
    is_float = value.is_floating_point()
    if part.integer == is_float or value.is_complex():
        return (
            f"{name} of dtype {_dtype(value)}, not {'an integer one' if part.integer else 'a floating one'}"
        )
    return ""


def _value_misfit(part: Part, value: Tensor, known: Tensor | None, there: Tensor | None) -> str:
    name = "values" if part.name == ALONE else f"`{part.name}`"
    if part.integer:
        if part.most is None or not value.numel():
            return ""
        low, high = (int(found) for found in value.aminmax())
        if low >= part.least and high <= part.most:
            return ""
        return (
            f"{name} with {high if high > part.most else low}, which is not from {part.least} to {part.most}"
        )
    bad = ~torch.isfinite(value)
    if there is not None and tuple(bad.shape[:2]) == tuple(there.shape):
        bad = bad.flatten(2).any(2) & there if bad.dim() > 2 else bad & there
    bad = bad.reshape(len(bad), -1).any(1)
    if known is not None:
        bad = bad & known
    count = int(bad.sum())
    return (
        f"{name} that are NaN or infinite, in {count} of {len(bad)} samples of a finite loss" if count else ""
    )


def _shape(shape: tuple[Size, ...]) -> str:
    return f"[{', '.join(['B', *map(str, shape)])}]"


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
