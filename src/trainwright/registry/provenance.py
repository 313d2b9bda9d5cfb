"""Which component of the recipe a part of a model was built from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

PARTS = frozenset({"encoder", "backbone", "neck", "head", "aggregator", "model"})


@dataclass(frozen=True)
class Provenance:
    """Where an object comes from.

    Attributes:
        kind: Component kind.
        spec: Its mapping, `name` included.
    """

    kind: str
    spec: Mapping[str, Any]


_known: WeakKeyDictionary[Any, Provenance] = WeakKeyDictionary()


def note_provenance(made: Any, kind: str, spec: str | Mapping[str, Any]) -> None:
    """Remembers what a part of a model was built from, for as long as the part lives."""
    if kind in PARTS:
        with suppress(TypeError):  # an object that cannot be hashed or referred to is no part of a model
            _known[made] = Provenance(kind, {"name": spec} if isinstance(spec, str) else spec)


def provenance_of(made: Any) -> Provenance | None:
    """What an object was built from; None where no component gave it."""
    try:
        return _known.get(made)
    except TypeError:
        return None
