"""Which parts of a model that the recipe names take part in no step: what was set of them is dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from trainwright.data.batch import Value
from trainwright.registry.provenance import Provenance, provenance_of


@dataclass
class _Part:
    provenance: Provenance
    parameters: frozenset[str]
    called: bool = False


class CallWatch:
    """Notes which components of a model are called, or learn, while it is open.

    A component counts as called when any layer within it is, or when a gradient reaches any of its weights:
    its weights may be used without a call. Of one without weights that could get a gradient (all frozen, or
    none at all) nothing is said, for its methods may be called by other names.

    Args:
        model: Before copies are made of it: the hooks go along with copies.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model, self._handles = model, list[Any]()
        self._parts = [
            _Part(
                found, frozenset(f"{name}.{key}" for key, p in module.named_parameters() if p.requires_grad)
            )
            for name, module in model.named_modules()
            if name and (found := provenance_of(module)) is not None
        ]

    @contextmanager
    def open(self) -> Iterator[CallWatch]:
        """Hooks on every layer of every component."""
        named = ((name, provenance_of(module)) for name, module in self._model.named_modules() if name)
        places = [name for name, found in named if found is not None]
        for part, place in zip(self._parts, places, strict=True):
            for module in self._model.get_submodule(place).modules():
                if not isinstance(module, torch.jit.ScriptModule):
                    self._handles.append(module.register_forward_pre_hook(_noting(part)))
                else:
                    part.called = True  # its calls cannot be seen
        try:
            yield self
        finally:
            for handle in self._handles:
                handle.remove()

    def learned(self, names: Iterable[str]) -> None:
        """Gradients have reached these parameters."""
        reached = frozenset(names)
        for part in self._parts:
            part.called = part.called or bool(part.parameters & reached)

    def uncalled(self) -> list[Provenance]:
        """What has taken no part."""
        return [part.provenance for part in self._parts if part.parameters and not part.called]


def _noting(part: _Part) -> Callable[..., None]:
    def note(*_: object) -> None:
        """The hook: the part was called."""
        part.called = True

    return note


class ReadColumns(dict[str, Value]):
    """A batch's columns, which know which of them were looked at.

    Attributes:
        seen: Their names.
    """

    def __init__(self, columns: dict[str, Value], seen: set[str]) -> None:
        super().__init__(columns)
        self.seen = seen

    def __getitem__(self, name: str) -> Value:
        """The column, which counts as read from now on."""
        self.seen.add(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        """Names; whoever copies or unpacks the columns comes by here, and then asks for each."""
        return super().__iter__()

    def _all(self) -> None:
        self.seen.update(dict.keys(self))

    def get(self, name: str, default: Any = None) -> Any:
        """The column, or the default."""
        self.seen.add(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """The column, taken out."""
        self.seen.add(name)
        return super().pop(name, *default)

    def values(self) -> Any:
        """All columns."""
        self._all()
        return super().values()

    def items(self) -> Any:
        """All columns with their names."""
        self._all()
        return super().items()

    def copy(self) -> dict[str, Value]:
        """All columns, as a plain mapping."""
        self._all()
        return dict(super().items())
