"""From definitions of layers to a network whose shapes fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, TrainwrightError
from trainwright.models.activations import activation
from trainwright.models.constructed import as_module
from trainwright.models.freezing import keep_frozen_norms_in_eval
from trainwright.models.graph.definition import Layer, parse
from trainwright.models.graph.network import GraphNetwork, OnWeight, Shape, Step
from trainwright.models.graph.order import ordered
from trainwright.models.misfits import OutputMisfit

_BATCH = 2


def build_graph(
    entries: Sequence[Any],
    inputs: Mapping[str, TensorSpec | Shape],
    num_outputs: int,
    output: str | Mapping[str, str] | None = None,
    check_width: bool = True,
) -> GraphNetwork:
    """A network from a list of layers.

    Args:
        entries: The list, as a recipe has it.
        inputs: Description, or just the shape, of every input.
        num_outputs: Width that the output (or all outputs together) must have.
        output: Layer whose result is the output, or a layer per target; None for the last of the list.
        check_width: Whether to insist on `num_outputs`.

    Raises:
        ModelError: A definition, a name, an order (all found before anything is built) or a shape is wrong.
    """
    specs = {name: _spec(value) for name, value in inputs.items()}
    layers = parse(entries)
    targets = dict(output) if isinstance(output, Mapping) else None
    names = list(targets.values()) if targets else [str(output or layers[-1].name)]
    order = ordered(layers, list(specs), names)
    _refuse_taken_names(order)
    modules, values = _infer(order, specs, num_outputs)
    if check_width:
        _check_width([(name, tuple(values[name].shape[1:])) for name in names], num_outputs, order)
    steps = _with_activations(order, modules)
    network = GraphNetwork(modules, steps, list(specs), targets, tuple(values[names[0]].shape[1:]))
    for layer in order:
        _prepare(layer, network)
    keep_frozen_norms_in_eval(network)
    return network


def _refuse_taken_names(order: Sequence[Layer]) -> None:
    taken = dir(GraphNetwork({}, (Step("x", "x", ("x",)),), ("x",), None, ()))
    for layer in order:
        if layer.name in taken:
            raise ModelError(
                f"a layer cannot be called {layer.name!r}",
                where=layer.place,
                why="torch.nn.Module has an attribute of that name",
                fix=f"call it {layer.name}_layer",
            )


def _with_activations(order: Sequence[Layer], modules: dict[str, nn.Module]) -> list[Step]:
    """Calls in order; an activation is a step of its own, so that weights are `<layer>.<parameter>`."""
    steps = []
    for layer in order:
        steps.append(Step(layer.name, layer.shared or layer.name, layer.inputs or ()))
        if layer.activation is not None:
            key = f"{layer.name}_activation"
            while key in modules:
                key += "_"
            modules[key] = activation(layer.activation, where=f"{layer.place}.activation")
            steps.append(Step(layer.name, key, (layer.name,)))
    return steps


def _spec(value: TensorSpec | Shape) -> TensorSpec:
    return value if isinstance(value, TensorSpec) else TensorSpec("number", value)


def _infer(
    order: Sequence[Layer], specs: Mapping[str, TensorSpec], num_outputs: int
) -> tuple[dict[str, nn.Module], dict[str, Tensor]]:
    """Every layer's module, and what it gives for a batch of two zeros, on the default device.

    A network of zeros costs less than the meta device, whose first use imports PyTorch's compiler.
    """
    values = {
        name: torch.zeros((_BATCH, *spec.shape), dtype=getattr(torch, spec.dtype))
        for name, spec in specs.items()
    }
    modules: dict[str, nn.Module] = {}
    for layer in order:
        if layer.shared is not None:
            module = modules.get(layer.shared) or _no_such_sharing(layer)
        else:
            shapes = {name: tuple(value.shape[1:]) for name, value in values.items()}
            module = modules[layer.name] = _module(layer, shapes, specs, num_outputs)
        values[layer.name] = _run(layer, module, [values[name] for name in layer.inputs or ()])
    return modules, values


def _no_such_sharing(layer: Layer) -> nn.Module:
    raise ModelError(
        f"layer {layer.name!r} shares the weights of {layer.shared!r}, which has none of its own",
        where=layer.place,
        fix="name the layer that was defined with a type",
    )


def _module(
    layer: Layer, shapes: Mapping[str, Shape], specs: Mapping[str, TensorSpec], num_outputs: int
) -> nn.Module:
    """The layer's module, on the present default device."""
    names = layer.inputs or ()
    first = specs.get(names[0])
    in_shapes = tuple(shapes[name] for name in names)
    given: dict[str, Any] = {"num_outputs": num_outputs}
    given["num_categories"] = len(first.classes) if first and first.type in ("category", "text") else None
    given["in_shapes"] = in_shapes
    if len(names) == 1:
        given["in_shape"] = in_shapes[0]
        if in_shapes[0]:
            given |= {"in_channels": in_shapes[0][0], "in_features": in_shapes[0][-1]}
    elif "in_shapes" not in registry.describe("layer", layer.type).positional and ":" not in layer.type:
        raise ModelError(
            f"{layer.type} reads one input, not {', '.join(names)}",
            where=layer.place,
            fix="join them with concat or add before it",
        )
    spec = {"name": layer.type, **layer.parameters}
    try:
        module = registry.build("layer", spec, where=layer.place, **given)
    except TrainwrightError as error:
        if not error.where:
            error.where = layer.place
        raise
    except (RuntimeError, ValueError, TypeError) as error:
        raise _broken(layer, in_shapes, error) from error
    return as_module(module, layer.type, layer.place)


def _run(layer: Layer, module: nn.Module, values: list[Tensor]) -> Tensor:
    shapes = tuple(tuple(value.shape[1:]) for value in values)
    training = module.training
    try:
        # In evaluation, so that nothing random is drawn and no statistics move.
        with torch.no_grad():
            result = module.eval()(*values)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise _broken(layer, shapes, error) from error
    module.train(training)
    if not isinstance(result, Tensor):
        raise ModelError(
            f"{layer.type} gives {type(result).__name__}, not a tensor",
            where=layer.place,
            fix="let its forward method return one tensor",
        )
    if 0 in result.shape[1:]:
        raise ModelError(
            f"layer {layer.name!r} ({layer.type}) makes {list(result.shape[1:])} of {_text(shapes)}",
            where=layer.place,
            fix="take out a pooling or a stride before it, or give larger inputs",
        )
    return result


def _broken(layer: Layer, shapes: tuple[Shape, ...], error: Exception) -> ModelError:
    message = str(error).strip()
    return ModelError(
        f"layer {layer.name!r} ({layer.type}) cannot read {_text(shapes)}",
        where=layer.place,
        why=message.splitlines()[0] if message else type(error).__name__,
        fix="change its sizes, or the layer before it",
    )


def _text(shapes: Sequence[Shape]) -> str:
    return " and ".join(str(list(shape)) for shape in shapes)


def _check_width(outputs: Sequence[tuple[str, Shape]], num_outputs: int, order: Sequence[Layer]) -> None:
    places = {layer.name: layer.place for layer in order}
    for name, shape in outputs:
        if len(shape) != 1:
            raise ModelError(
                f"the output layer {name!r} gives {list(shape)}, but the targets need a vector",
                where=places.get(name, "model.output"),
                fix="put flatten or global_avg_pool and a dense layer behind it",
            )
    width = sum(shape[0] for _, shape in outputs)
    if num_outputs and width != num_outputs:
        raise OutputMisfit(
            f"the output has {width} units, but the targets need {num_outputs}",
            where=places.get(outputs[-1][0], "model.output"),
            fix="write units: outputs, which follows the targets",
        )


def _prepare(layer: Layer, network: GraphNetwork) -> None:
    """Initial values, penalties, projections and freezing of one layer's weights."""
    if layer.shared is not None:
        if layer.weights or not layer.trainable:
            raise ModelError(
                f"layer {layer.name!r} has no weights of its own to treat",
                where=layer.place,
                fix=f"say it at {layer.shared!r}",
            )
        return
    module = network.get_submodule(layer.name)
    kernels = [name for name, p in module.named_parameters() if p.ndim > 1]
    biases = [name for name, _ in module.named_parameters() if name.rpartition(".")[2].startswith("bias")]
    for key, names in (("initializer", kernels), ("bias_initializer", biases)):
        fill = _on_weights(layer, key, "initializer", names)
        for name in names if fill else ():
            with torch.no_grad():
                _filled(layer, fill, module.get_parameter(name))  # type: ignore[arg-type]
    for key, store in (("regularizer", network.regularizers), ("constraint", network.constraints)):
        function = _on_weights(layer, key, key, kernels)
        store += [OnWeight(layer.name, name, function) for name in kernels if function]
    if not layer.trainable:
        module.requires_grad_(False)


def _on_weights(layer: Layer, key: str, kind: str, names: list[str]) -> Callable[..., Any] | None:
    """The function that the layer wants on its weights, with its parameters filled in."""
    if key not in layer.weights:
        return None
    where = f"{layer.place}.{key}"
    if not names:
        what = "bias" if key == "bias_initializer" else "weight"
        raise ModelError(
            f"{layer.type} has no {what} for this {kind}", where=where, fix="take it out of this layer"
        )
    return registry.bind(kind, layer.weights[key], where=where)


def _filled(layer: Layer, fill: Callable[[Tensor], None], weight: Tensor) -> None:
    try:
        fill(weight)
    except ValueError as error:
        raise ModelError(
            f"this initializer cannot fill weights of shape {list(weight.shape)}",
            where=layer.place,
            why=str(error),
            fix="choose another initializer for this layer",
        ) from error
