"""What is known of a component: where it lives, what it takes, and when a value of it is dead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from trainwright.fields import IsLocation


class _Required:
    """The default of a parameter that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()


class _Unannotated:
    """The annotation of a parameter of user code that has none, or none that can be read."""

    def __repr__(self) -> str:
        return "UNANNOTATED"


UNANNOTATED: Final = _Unannotated()


@dataclass(frozen=True)
class Parameter:
    """One parameter that belongs to the recipe.

    Attributes:
        name: As in the signature.
        annotation: The evaluated annotation, `UNANNOTATED` where there is none.
        default: The default, or `REQUIRED`.
        text: The annotation as it is written in the source.
        doc: Its entry in the docstring's `Args` section.
    """

    name: str
    annotation: Any
    default: Any = REQUIRED
    text: str = ""
    doc: str = ""

    @property
    def required(self) -> bool:
        """Whether a recipe must give it."""
        return self.default is REQUIRED

    @property
    def location(self) -> bool:
        """Whether it only says where something lies on this machine."""
        return _mentions_location(self.annotation)


def _mentions_location(annotation: Any) -> bool:
    """Whether a type is a location, or a union or mapping with one."""
    if any(isinstance(item, IsLocation) for item in getattr(annotation, "__metadata__", ())):
        return True
    return any(map(_mentions_location, get_args(annotation)))


@dataclass(frozen=True)
class ComponentInfo:
    """A component as a recipe sees it.

    Attributes:
        kind: Its kind, such as `optimizer`.
        name: Its name in a recipe.
        target: `module:attribute` that is called.
        doc: Its docstring.
        parameters: What a recipe can set.
        positional: Names that the tool fills, in the order of the signature.
        needs: Those of `positional` that have no default.
        dead_when: Parameter -> condition on the other parameters under which it has no effect.
        source_file: The file that holds it, where known.
        version: Raised by its author when the same parameters give other results than before.
        fixed: Arguments that follow from the name (timm's architecture).
        user_code: It is the user's own, and was imported to be described.
        targets: Column types that a loss or a metric suits; empty where it does not say.
    """

    kind: str
    name: str
    target: str
    doc: str
    parameters: tuple[Parameter, ...]
    positional: tuple[str, ...]
    needs: tuple[str, ...] = ()
    dead_when: Mapping[str, str] = field(default_factory=dict)
    source_file: str | None = None
    version: int = 1
    fixed: Mapping[str, Any] = field(default_factory=dict)
    user_code: bool = False
    targets: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return self.doc.strip().split("\n", 1)[0]

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name."""
        return next((item for item in self.parameters if item.name == name), None)
