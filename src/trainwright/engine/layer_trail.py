"""Which layer is at work when a model fails, and what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from torch import Tensor, nn

from trainwright.errors import ModelError, TrainwrightError
from trainwright.models.heads.author import Failure, failure_of
from trainwright.models.misfits import how_to_fit
from trainwright.wording import in_one_line

Given = TypeVar("Given")


class LayerTrail:
    """The path of the modules that are being called, kept by hooks.

    Attributes:
        path: Names within the model, the innermost last.
        kinds: Name -> its class.
        shapes: Name -> shapes of the tensors that it was called with last.
    """

    def __init__(self) -> None:
        self.path: list[str] = []
        self.kinds: dict[str, str] = {}
        self.shapes: dict[str, list[list[int]]] = {}

    def enter(self, name: str, module: nn.Module, given: tuple[Any, ...]) -> None:
        """A module is called."""
        self.path.append(name)
        self.kinds[name] = type(module).__name__
        self.shapes[name] = [list(tensor.shape) for tensor in _tensors(given)]

    def told(self) -> str:
        """The innermost layer at work in words, empty where none is."""
        layer = next((name for name in reversed(self.path) if name), "")
        if not layer:
            return ""
        shapes = self.shapes[layer]
        given = f" on {'an input' if len(shapes) == 1 else 'inputs'} of shape {', '.join(map(str, shapes))}"
        return f"layer {layer!r} ({self.kinds[layer]}) fails" + (given if shapes else "")


def _tensors(values: tuple[Any, ...]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, dict):
            # Not its own `values`, which may note who reads it.
            yield from _tensors(tuple(dict.values(value)))
        elif isinstance(value, list | tuple):
            yield from _tensors(tuple(value))


@contextmanager
def layer_trail(model: nn.Module) -> Iterator[LayerTrail]:
    """Follows the calls of a model's layers while it is open."""
    trail, handles = LayerTrail(), []

    def leaving(*_: object) -> None:
        """One step back on the trail."""
        trail.path.pop()

    def entering(name: str) -> Callable[..., None]:
        """The hook of a layer: one step further."""
        return lambda module, args, kwargs: trail.enter(name, module, (*args, *kwargs.values()))

    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(entering(name), with_kwargs=True))
        handles.append(module.register_forward_hook(leaving))
    try:
        yield trail
    finally:
        for handle in handles:
            handle.remove()


def guarded(call: Callable[[], Given], trail: LayerTrail) -> Given:
    """What a call gives; whatever a model's own code raises is told as the model's fault.

    Raises:
        ModelError: It failed; names the layer with its type and what it was given.
    """
    try:
        return call()
    except TrainwrightError:
        raise
    except (Exception, SystemExit) as error:
        failure = failure_of(error)
        if failure is not None:
            raise failed_method(failure, error, trail.told()) from error
        raise ModelError(
            trail.told() or "the model fails on its first samples",
            where="model",
            why=words_of(error),
            fix=how_to_fit(str(error)),
        ) from error


def failed_method(failure: Failure, error: BaseException, layer: str = "") -> ModelError:
    """What a method of a user's own part of a model has raised, told as its error.

    Args:
        failure: Which method.
        error: What it raised.
        layer: The layer at work, in words.
    """
    fix = how_to_fit(str(error)) if layer else f"mend it at {failure.place or failure.author.where}"
    return ModelError(
        failure.told(),
        where=failure.author.where,
        why=in_one_line(error) + (f"; {layer}" if layer else ""),
        fix=fix,
    )


def words_of(error: BaseException) -> str:
    """The exception's type and the first line of what it says."""
    return ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])
