"""Builds the head of one target, and says what is wrong with one of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, TrainwrightError
from trainwright.models.constructed import as_module, mend_constructor
from trainwright.models.heads import DEFAULTS, SEVERAL_WITH_POINTS
from trainwright.models.heads.author import Author, note_author, place_within
from trainwright.models.heads.base import learns
from trainwright.models.heads.located import below
from trainwright.models.widths import VECTORS
from trainwright.registry.info import ComponentInfo
from trainwright.wording import in_one_line

_FORWARD = (*VECTORS, "image")
"""Target types that a head without a loss of its own can answer: a loss of the recipe reads its output."""


def build_head(
    target: str,
    spec: TensorSpec,
    wanted: dict[str, Any] | None,
    loss: Callable[..., Tensor] | None,
    class_weights: Tensor | None,
    neck: Any,
    image: tuple[int, int, int],
) -> nn.Module:
    """The head of a target.

    Args:
        target: The column.
        spec: What it looks like.
        wanted: What the recipe says; None for the head that is usual for the type.
        loss: That the recipe names for the target.
        class_weights: Likewise.
        neck: With `channels` and `strides`.
        image: Shape of the processed image.

    Raises:
        ModelError: It does not learn such a target, cannot be built, or lacks a method.
    """
    where = f"model.heads.{target}"
    default = DEFAULTS.get(spec.type)
    if spec.type == "keypoints" and spec.shape[0] > 1:
        default = SEVERAL_WITH_POINTS
    if wanted is None and default is None:
        raise ModelError(f"a target of type {spec.type} has no head by default", where=where, fix="name one")
    valid = registry.validate("head", wanted or {"name": default}, where=where)
    info = registry.describe("head", valid["name"])
    if info.targets and spec.type not in info.targets:
        raise ModelError(
            f"head {info.name} learns {' or '.join(info.targets)}, and {target!r} is {spec.type}",
            where=where,
            fix="choose another head, or another type for the target",
        )
    given = {
        "target": spec,
        "channels": tuple(neck.channels),
        "strides": tuple(neck.strides),
        "in_channels": image[0],
        "image_size": image[1:],
        "loss": loss,
        "class_weights": class_weights,
    }
    head = build_part("head", valid, where, given)
    note_author(head, Author(f"head {info.name}", where, type(head)))
    if info.user_code:
        _refuse_half(head, info, spec, where)
    if learns(head):
        _refuse_unread(target, info.positional, loss, class_weights, info.name)
    return head


def build_part(kind: str, spec: dict[str, Any], where: str, given: dict[str, Any]) -> nn.Module:
    """A part of a pyramid; whatever its constructor raises is told as an error of that part.

    Args:
        kind: `backbone`, `neck` or `head`.
        spec: Its mapping.
        where: Its key path.
        given: What it may ask for by name.

    Raises:
        ModelError: Its constructor fails, or gives no module.
    """
    try:
        with below(where):
            made = registry.build(kind, spec, where=where, **given)
    except TrainwrightError:
        raise
    except (Exception, SystemExit) as error:
        info = registry.describe(kind, spec["name"])
        place = place_within(error, info.source_file)
        raise ModelError(
            f"{kind} {spec['name']} could not be built: {in_one_line(error)}",
            where=where,
            why=f"raised at {place}" if place else "",
            fix=mend_constructor(
                error,
                f"mend it; the tool gives it {', '.join(info.positional) or 'nothing'}, the recipe the rest",
            ),
        ) from error
    return as_module(made, f"{kind} {spec['name']}", where)


def _refuse_half(head: nn.Module, info: ComponentInfo, spec: TensorSpec, where: str) -> None:
    """A class of the user's own that has only one of the two methods, or neither where both are needed."""
    there = [name for name in ("loss", "predict") if callable(getattr(head, name, None))]
    has_forward = type(head).forward is not nn.Module.forward
    if len(there) == 2 or (not there and has_forward and spec.type in _FORWARD):
        return
    lacks = [name for name in ("loss", "predict") if name not in there]
    both = "`loss(features, target)` and `predict(features)`"
    raise ModelError(
        f"head {info.name} has no {' and no '.join(f'`{name}`' for name in lacks)}",
        where=where,
        why=f"a head for {spec.type} has the methods {both}"
        + (", or it is a function of the maps, `forward(features)`" if spec.type in _FORWARD else ""),
        fix=f"define {' and '.join(f'`{name}`' for name in lacks)} in the class at "
        f"{Author(f'head {info.name}', where, type(head)).place('__class__')}",
    )


def _refuse_unread(name: str, read: tuple[str, ...], loss: object, class_weights: object, head: str) -> None:
    for key, value in (("loss", loss), ("class_weights", class_weights)):
        if value is not None and key not in read:
            raise ModelError(
                f"`{key}` of target {name!r} has no effect",
                where=f"data.targets.{name}.{key}",
                why=f"head {head} has a loss of its own",
                fix=f"remove it; `trainwright explain head.{head}` lists what can be set",
            )
