"""A loss of the recipe: a function, or an instance of a class, that is called with (output, target)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import RecipeError, TrainwrightError
from trainwright.models.heads.author import source_place
from trainwright.registry.user_code import kept_running
from trainwright.tasks.supervised.loss_form import refuse_other_form


class RecipeLoss:
    """A loss that knows its name and place, gives a value per sample, and remembers whether it was called.

    Buffers of a `torch.nn.Module` follow the outputs from device to device.

    Args:
        loss: A function of an output and its truth.
        name: What the recipe calls it.
        where: Its key path.
        place: `file:line` where it is a user's own; else empty.

    Attributes:
        called: Whether anybody has called it.
    """

    def __init__(self, loss: Callable[..., Any], name: str, where: str, place: str = "") -> None:
        self._loss, self.name, self.where, self.called = loss, name, where, False
        self.told = f"the loss {name}" + (f" ({place})" if place else "")
        inner = loss.func if isinstance(loss, partial) else loss
        self._buffers = inner if isinstance(inner, nn.Module) and any(True for _ in inner.buffers()) else None

    def __call__(self, output: Tensor, *given: Any, **named: Any) -> Tensor:
        """Loss of each sample `[B]`. Raises ModelError where it gives anything else."""
        self.called = True
        if self._buffers is not None:
            self._buffers.to(output.device)
        loss = self._loss(output, *given, **named)
        refuse_other_form(loss, len(output), self.told, self.where)
        return cast(Tensor, loss)

    def __deepcopy__(self, memo: dict[int, Any]) -> RecipeLoss:
        """Itself: copies of a model that holds it call the same one."""
        return self


def recipe_loss(item: dict[str, Any], spec: TensorSpec, where: str) -> RecipeLoss:
    """The loss that a component mapping names.

    Args:
        item: A valid mapping, with `name`.
        spec: The target's.
        where: Key path for errors.

    Raises:
        RecipeError: Its class cannot be made, or has weights to train.
    """
    loss = column_function("loss", item, spec, where)
    inner = loss.func if isinstance(loss, partial) else loss
    place = ""
    if ":" in item["name"]:
        place = source_place(_called(inner), inner, type(inner))
    if isinstance(inner, nn.Module) and any(part.requires_grad for part in inner.parameters()):
        raise RecipeError(
            f"the loss {item['name']} has parameters of its own",
            where=where,
            why="only those of the model are trained and saved",
            fix="keep constants by register_buffer; what is to be trained belongs into a head with a `loss`",
        )
    return RecipeLoss(loss, item["name"], where, place)


def column_function(kind: str, item: dict[str, Any], spec: TensorSpec, where: str) -> Callable[..., Any]:
    """A loss or metric with the recipe's parameters, and what it asks for by name of the column.

    A class is made with these, and its instance is called.

    Args:
        kind: `loss` or `metric`.
        item: A valid mapping, with `name`.
        spec: The column's.
        where: Key path for errors.

    Raises:
        RecipeError: The class cannot be made.
    """
    given = {"classes": spec.classes or None, "spec": spec}
    bound = registry.bind(kind, item, where=where)
    asked = registry.describe(kind, item["name"]).positional
    bound = partial(bound, **{name: given[name] for name in asked if name in given})
    if not isinstance(bound.func, type):
        return bound
    made = _made(bound, f"the {kind} {item['name']}", where)
    if not callable(made):
        place = source_place(bound.func)
        raise RecipeError(
            f"the {kind} {item['name']} cannot be called" + (f" ({place})" if place else ""),
            where=where,
            why="its class has no `__call__`, and no `forward` of a torch.nn.Module",
            fix=f"give it a method that takes what a {kind} takes: docs/losses.md",
        )
    try:
        asked = tuple(inspect.signature(_called(made)).parameters)
    except (TypeError, ValueError):  # of compiled code, which asks for nothing more
        asked = ()
    return partial(made, **{name: given[name] for name in asked if name in given})


def _called(function: Any) -> Any:
    """What is at work when a function, or an instance of a class, is called."""
    if isinstance(function, nn.Module):
        return function.forward
    return function if inspect.isroutine(function) else function.__call__


def _made(bound: partial[Any], called: str, where: str) -> Any:
    with kept_running(f"{called} could not be built", where):
        try:
            return bound()
        except TrainwrightError:
            raise
        except Exception as error:
            said = ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])
            place = source_place(getattr(bound.func, "__init__", None), bound.func)
            raise RecipeError(
                f"{called} could not be built" + (f" ({place})" if place else ""),
                where=where,
                why=said,
                fix="the constructor takes the recipe's parameters, each call (output, target)",
            ) from error
