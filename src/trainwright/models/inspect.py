"""A model looked at before it is trained: shapes without memory, parameter counts, a summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.misfits import OutputMisfit, how_to_fit

_BATCH = 2  # BatchNorm in training mode refuses a single value per channel

# What operators say that look at values, or that mix devices: such a forward pass is no fault, but it
# cannot run without values.
_NEEDS_VALUES = (
    "meta",
    "Meta",
    "data-dependent",
    "_local_scalar_dense",
    "aten::item",
    "Expected all tensors",
)


@dataclass(frozen=True)
class LayerInfo:
    """One module without children, as the forward pass came by.

    Attributes:
        name: Path within the model.
        kind: Name of its class.
        shape: Shape of its output without the batch axis, None where it gives no tensor.
        parameters: Number of its own parameters.
        trainable: Number of those that are trained.
    """

    name: str
    kind: str
    shape: tuple[int, ...] | None
    parameters: int
    trainable: int


@dataclass(frozen=True)
class ModelSummary:
    """What one forward pass and the parameters tell about a model.

    Attributes:
        layers: Modules without children in the order of execution, each once.
        parameters: Number of parameters.
        trainable: Number of parameters that are trained.
        size: Bytes of parameters and buffers.
        outputs: Shape without the batch axis per output; the only one is called `output`.
    """

    layers: tuple[LayerInfo, ...]
    parameters: int
    trainable: int
    size: int
    outputs: dict[str, tuple[int, ...]]

    def text(self, limit: int = 40) -> str:
        """A table for people, of at most `limit` layers."""
        shown = self.layers[:limit]
        rows = [(x.name or x.kind, x.kind, _shape_text(x.shape), f"{x.parameters:,}") for x in shown]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}" for a, b, c, d in rows
        ]
        if len(self.layers) > limit:
            lines.append(f"... and {len(self.layers) - limit} more layers")
        lines.append(
            f"{self.parameters:,} parameters, {self.trainable:,} trainable, {self.size / 2**20:.1f} MiB"
        )
        return "\n".join(lines)


@dataclass
class _Trace:
    """Where a forward pass is and has been."""

    stack: list[tuple[str, str, str]] = field(default_factory=list)
    seen: dict[str, LayerInfo] = field(default_factory=dict)


def example_inputs(
    inputs: Mapping[str, TensorSpec], batch: int = _BATCH, device: str = "meta"
) -> Tensor | dict[str, Tensor]:
    """Zeros of the inputs' shapes: one tensor `[B, ...]`, or a dict of them when there are several."""
    made = {
        name: torch.zeros((batch, *spec.shape), dtype=getattr(torch, spec.dtype), device=device)
        for name, spec in inputs.items()
    }
    return as_argument(made)


def as_argument(inputs: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
    """What a network is called with: the tensor itself when there is only one."""
    return next(iter(inputs.values())) if len(inputs) == 1 else inputs


def build_on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Calls `build` so that no weight takes memory or draws a random number."""
    with torch.device("meta"):
        return build()


def check_model(
    build: Callable[[], nn.Module], inputs: Mapping[str, TensorSpec], num_outputs: int | None = None
) -> ModelSummary:
    """Builds a model without memory, sends one fake batch through it and checks what comes out.

    A network whose forward pass looks at values cannot be checked like this; it is built in earnest
    and given a batch of two zeros instead.

    Args:
        build: Makes the model.
        inputs: Description of every input column.
        num_outputs: Width that the output must have; None accepts any.

    Raises:
        ModelError: The layer at which the shapes break, or an output that does not fit.
    """
    model = None
    try:
        model = build_on_meta(build)
        summary = trace(model, example_inputs(inputs))
    except (ModelError, RuntimeError, NotImplementedError) as error:
        if not needs_values(error):
            images = [spec.shape for spec in inputs.values() if spec.type == "image"]
            raise in_terms_of_size(model, images, error) from error.__cause__
        model = build()
        summary = trace(model, example_inputs(inputs, device="cpu"))
    if num_outputs is not None:
        check_outputs(summary.outputs, num_outputs)
    return summary


def in_terms_of_size(
    model: nn.Module | None, images: Sequence[tuple[int, ...]], error: Exception
) -> Exception:
    """The same error in words about image sizes, where the network tells which size it is made for.

    Args:
        model: The network, None when it could not even be built.
        images: Shapes `(C, H, W)` of the images among the inputs.
        error: Why the forward pass failed.
    """
    config = getattr(model, "pretrained_cfg", None)
    if not isinstance(config, dict) or len(images) != 1:
        return error
    from trainwright.models.timm_model import unsuitable_size

    _, height, width = images[0]
    return unsuitable_size(str(config.get("architecture", "the model")), (height, width), config, error)


def needs_values(error: BaseException) -> bool:
    """Whether a forward pass failed only because there are no values on the meta device."""
    cause = error.__cause__ or error
    return isinstance(cause, NotImplementedError) or any(word in str(cause) for word in _NEEDS_VALUES)


def check_outputs(outputs: Mapping[str, tuple[int, ...]], num_outputs: int) -> None:
    """Refuses outputs whose widths do not add up to `num_outputs`.

    Raises:
        ModelError: An output is no vector per sample, or the widths do not fit.
    """
    for name, shape in outputs.items():
        if len(shape) != 1:
            raise ModelError(
                f"the model's {name} has shape [B{''.join(f', {n}' for n in shape)}]",
                where="model",
                why="the targets need one vector per sample, [B, outputs]",
                fix="end the model with pooling or flattening and a linear layer",
            )
    width = sum(shape[0] for shape in outputs.values())
    if width != num_outputs:
        raise OutputMisfit(
            f"the model gives {width} numbers per sample, but the targets need {num_outputs}",
            where="model",
            fix="let the model take num_outputs as a parameter and use it for its last layer",
        )


def trace(model: nn.Module, inputs: Tensor | dict[str, Tensor]) -> ModelSummary:
    """Runs one forward pass and writes down what every layer gives.

    Args:
        model: On the meta device, or in memory.
        inputs: As the network takes them, on the same device.

    Raises:
        ModelError: The forward pass failed; names the layer and the shape that it was given.
    """
    return _summary(model, *_followed(model, inputs))


def run_once(model: nn.Module, inputs: Tensor | dict[str, Tensor]) -> None:
    """One forward pass, of which nothing is kept. Raises ModelError, as `trace` does."""
    _followed(model, inputs)


def _followed(model: nn.Module, inputs: Tensor | dict[str, Tensor]) -> tuple[_Trace, Any]:
    """Output of a forward pass, and what was seen on the way."""
    record = _Trace()
    handles = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(_enter(record, name), with_kwargs=True))
        handles.append(module.register_forward_hook(_leave(record, name)))
    device = inputs.device if isinstance(inputs, Tensor) else next(iter(inputs.values())).device
    try:
        with torch.no_grad(), torch.device(device):
            return record, model(inputs)
    except ModelError:
        raise
    except Exception as error:
        raise _broken(record, error) from error
    finally:
        for handle in handles:
            handle.remove()


def _enter(record: _Trace, name: str) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Notes which layer is entered, with the shapes that it is given."""
        record.stack.append((name, type(module).__name__, _described((*args, *kwargs.values()))))

    return hook


def _leave(record: _Trace, name: str) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Notes that the layer is left, and what a layer without parts gives."""
        record.stack.pop()
        if next(module.children(), None) is None and name not in record.seen:
            counts = [(p.numel(), p.requires_grad) for p in module.parameters(recurse=False)]
            record.seen[name] = LayerInfo(
                name=name,
                kind=type(module).__name__,
                shape=tuple(output.shape[1:]) if isinstance(output, Tensor) else None,
                parameters=sum(n for n, _ in counts),
                trainable=sum(n for n, trained in counts if trained),
            )

    return hook


def _broken(record: _Trace, error: Exception) -> ModelError:
    name, kind, given = record.stack[-1] if record.stack else ("", "model", "its input")
    place = f"layer {name!r} ({kind})" if name else f"the forward pass of {kind}"
    message = str(error).strip()
    return ModelError(
        f"{place} fails on an input of shape {given}",
        where="model",
        why=f"{type(error).__name__}: {message.splitlines()[0]}" if message else type(error).__name__,
        fix=how_to_fit(message),
    )


def _summary(model: nn.Module, record: _Trace, output: Any) -> ModelSummary:
    named = output if isinstance(output, dict) else {"output": output}
    for name, value in named.items():
        if not isinstance(value, Tensor):
            raise ModelError(
                f"the model gives {type(value).__name__} as {name}",
                where="model",
                why="a network gives a tensor [B, outputs], or a dict of one per target",
                fix="let its forward method return such a tensor",
            )
    counts = [(p.numel(), p.requires_grad, p.element_size()) for p in model.parameters()]
    buffers = sum(b.numel() * b.element_size() for b in model.buffers())
    return ModelSummary(
        layers=tuple(record.seen.values()),
        parameters=sum(n for n, _, _ in counts),
        trainable=sum(n for n, trained, _ in counts if trained),
        size=sum(n * size for n, _, size in counts) + buffers,
        outputs={name: tuple(value.shape[1:]) for name, value in named.items()},
    )


def _described(values: tuple[Any, ...]) -> str:
    shapes = []
    for value in values:
        if isinstance(value, Tensor):
            shapes.append(_shape_text(tuple(value.shape[1:])))
        elif isinstance(value, dict):
            items = [(k, v) for k, v in value.items() if isinstance(v, Tensor)]
            shapes += [f"{key} {_shape_text(tuple(item.shape[1:]))}" for key, item in items]
    return ", ".join(shapes) or "no tensor"


def _shape_text(shape: tuple[int, ...] | None) -> str:
    return "-" if shape is None else "[" + ", ".join(["B", *map(str, shape)]) + "]"
