"""From definitions to the layers that an output needs, in the order of execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trainwright.errors import ModelError, closest
from trainwright.models.graph.definition import Layer


def ordered(layers: Sequence[Layer], columns: Sequence[str], outputs: Sequence[str]) -> list[Layer]:
    """Walks back from the outputs; gives every layer after all that it reads, inputs filled in.

    Args:
        layers: All definitions.
        columns: Names of the recipe's input columns.
        outputs: Names of the layers whose results leave the network.

    Raises:
        ModelError: An input that does not exist, a cycle, a layer or a column that no output needs.
    """
    named = {layer.name: _filled(layer, columns) for layer in layers}
    for column in columns:
        if column in named:
            raise ModelError(
                f"a layer and an input column are both called {column!r}",
                where=named[column].place,
                fix="rename the layer",
            )
    found: dict[str, Layer] = {}
    used: set[str] = set()
    for output in outputs:
        _require(output, named, (), "model.output")
        _visit(output, named, columns, found, used, [])
    _refuse_unused(layers, columns, found, used)
    return list(found.values())


def _filled(layer: Layer, columns: Sequence[str]) -> Layer:
    if layer.inputs is not None:
        return layer
    if len(columns) > 1:
        raise ModelError(
            f"layer {layer.name!r} does not say which of the inputs {', '.join(columns)} it reads",
            where=layer.place,
            fix=f"add inputs: {columns[0]}",
        )
    return replace(layer, inputs=(columns[0],))


def _require(name: str, named: Mapping[str, Layer], columns: Sequence[str], where: str) -> None:
    if name in named or name in columns:
        return
    guess = closest(name, [*named, *columns])
    there = ", ".join([*columns, *named])
    raise ModelError(
        f"there is no layer{' or input' if columns else ''} {name!r}",
        where=where,
        fix=f"did you mean {guess!r}?" if guess else f"there are {there}",
    )


def _visit(
    name: str,
    named: Mapping[str, Layer],
    columns: Sequence[str],
    found: dict[str, Layer],
    used: set[str],
    path: list[str],
) -> None:
    """Depth first without recursion: a list may well be longer than Python's stack is deep."""
    todo: list[tuple[str, bool]] = [(name, False)]
    while todo:
        current, done = todo.pop()
        if done:
            found[current] = named[current]
            path.pop()
            continue
        if current in columns:
            used.add(current)
            continue
        if current in found:
            continue
        if current in path:
            loop = [*path[path.index(current) :], current]
            raise ModelError(
                f"the layers form a cycle: {' <- '.join(loop)}",
                where=named[current].place,
                fix="a layer can only read layers that do not depend on it",
            )
        layer = named[current]
        path.append(current)
        todo.append((current, True))
        before = [*(layer.inputs or ()), *([layer.shared] if layer.shared else [])]
        for item in reversed(before):
            _require(item, named, columns, layer.place)
            todo.append((item, False))


def _refuse_unused(
    layers: Sequence[Layer], columns: Sequence[str], found: Mapping[str, Layer], used: set[str]
) -> None:
    for layer in layers:
        if layer.name not in found:
            raise ModelError(
                f"no output needs layer {layer.name!r}",
                where=layer.place,
                fix="name it among another layer's inputs, or take it out",
            )
    for column in columns:
        if column not in used:
            raise ModelError(
                f"no layer reads the input {column!r}",
                where="model.layers",
                fix="name it among a layer's inputs, or take it out of data.inputs",
            )
