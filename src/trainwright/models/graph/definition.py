"""From the list in a recipe to plain definitions of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainwright.errors import ModelError
from trainwright.models.activations import ACTIVATIONS, ALIASES
from trainwright.models.graph.keras_names import layer_type, parameter_names

_COMMON = ("name", "inputs", "trainable", "shared")
_ON_WEIGHTS = ("initializer", "bias_initializer", "regularizer", "constraint")


@dataclass(frozen=True)
class Layer:
    """One entry of the list.

    Attributes:
        index: Place in the list, for errors.
        name: Unique; prefixes the names of its weights.
        type: Name of the layer component, or `module:attr`.
        parameters: The component's own parameters.
        inputs: Names of layers or columns that it reads; None for the entry before it.
        shared: Name of the layer whose weights it uses.
        trainable: Whether its weights are trained.
        activation: Name of the function applied to its result.
        weights: Specs of initializer, bias_initializer, regularizer and constraint, where given.
    """

    index: int
    name: str
    type: str
    parameters: Mapping[str, Any]
    inputs: tuple[str, ...] | None
    shared: str | None = None
    trainable: bool = True
    activation: str | None = None
    weights: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it stands, for errors."""
        return f"model.layers.{self.index} ({self.name})"


def parse(entries: Sequence[Any]) -> list[Layer]:
    """Layers of a list, those that are written inside `inputs` included.

    Args:
        entries: A type alone (`flatten`, `relu`) or a mapping with `type` and its parameters.

    Raises:
        ModelError: An entry without a type, or two different layers of one name.
    """
    return _Parser().run(entries)


class _Parser:
    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.written: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()

    def run(self, entries: Sequence[Any]) -> list[Layer]:
        previous: str | None = None
        for index, entry in enumerate(entries):
            previous = self.add(entry, index, previous)
        if not self.layers:
            raise ModelError("the list of layers is empty", where="model.layers", fix="name some layers")
        return self.layers

    def add(self, entry: Any, index: int, previous: str | None) -> str:
        """Takes one entry and gives its name; `previous` is what it reads when it does not say."""
        mapping = {"type": entry} if isinstance(entry, str) else entry
        if not isinstance(mapping, Mapping) or not (mapping.get("type") or mapping.get("shared")):
            raise ModelError(
                f"this layer has no type: {entry!r}",
                where=f"model.layers.{index}",
                fix="write a mapping such as {type: dense, units: 64}, or a type alone",
            )
        kind = "shared" if mapping.get("shared") else layer_type(str(mapping["type"]))
        if isinstance(mapping.get("name"), str) and self._known(mapping["name"], mapping, index):
            return str(mapping["name"])
        self.counts[kind] += 1
        name = str(mapping.get("name") or f"{kind.rpartition(':')[2]}{self.counts[kind]}")
        self._check_new(name, mapping, index)
        inputs = self._inputs(mapping, index)
        self.layers.append(_layer(mapping, index, name, kind, inputs or ((previous,) if previous else None)))
        return name

    def _known(self, name: str, mapping: Mapping[str, Any], index: int) -> bool:
        """Whether this very definition came before, as it does in a graph that is written nested."""
        return name in self.written and self.written[name] == mapping and "inputs" in mapping

    def _check_new(self, name: str, mapping: Mapping[str, Any], index: int) -> None:
        if name in self.written:
            first = next(layer for layer in self.layers if layer.name == name)
            raise ModelError(
                f"two layers are called {name!r}, number {first.index} and number {index}",
                where=f"model.layers.{index}.name",
                fix="rename one; to use the same weights twice, write {shared: " + name + ", inputs: ...}",
            )
        if "." in name or not name:
            raise ModelError(
                f"a layer cannot be called {name!r}", where=f"model.layers.{index}.name", fix="leave dots out"
            )
        self.written[name] = mapping

    def _inputs(self, mapping: Mapping[str, Any], index: int) -> tuple[str, ...] | None:
        given = mapping.get("inputs")
        if given is None:
            return None
        items = list(given) if isinstance(given, list | tuple) else [given]
        return tuple(item if isinstance(item, str) else self.add(item, index, None) for item in items)


def _layer(
    mapping: Mapping[str, Any], index: int, name: str, kind: str, inputs: tuple[str, ...] | None
) -> Layer:
    rest = {key: value for key, value in mapping.items() if key not in ("type", *_COMMON)}
    rest = parameter_names(kind, rest)
    weights = {key: rest.pop(key) for key in _ON_WEIGHTS if rest.get(key) is not None}
    if ALIASES.get(kind, kind) in ACTIVATIONS:
        kind, rest = "activation", {"function": kind, **rest}
    after = rest.pop("activation", None) if ":" not in kind else None
    trainable = mapping.get("trainable", True)
    if not isinstance(trainable, bool):
        raise ModelError(
            f"trainable is {trainable!r}",
            where=f"model.layers.{index}.trainable",
            fix="write true or false",
        )
    return Layer(index, name, kind, rest, inputs, mapping.get("shared"), trainable, after, weights)
