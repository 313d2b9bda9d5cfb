"""Names for the ranges and roles that a component's parameters may have.

A component writes `lr: Positive = 0.1`; the registry reads the annotation without importing the
component, validates recipes against it and prints it in `explain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from annotated_types import Ge, Gt, Interval

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Interval(ge=0, le=1)]
OpenFraction = Annotated[float, Interval(ge=0, lt=1)]
PositiveInt = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class IsLocation:
    """Marks a place on this machine: what lies there matters to a result, where it lies does not."""


@dataclass(frozen=True)
class IsRun:
    """Marks a place as that of a run: its path, id, name or salt; what counts are its weights."""


@dataclass(frozen=True)
class IsRecipe:
    """Marks a recipe: a file, the name of one that ships, or the recipe itself as a mapping.

    What counts is what it says and the content that it reads. A parameter `overrides` beside it changes it.

    Attributes:
        trained: It is to be trained, so that its model is checked beforehand too.
    """

    trained: bool = False


@dataclass(frozen=True)
class MayBeFile:
    """Marks a text that, where it names a file, stands for what is in the file."""


@dataclass(frozen=True)
class IsDivision:
    """Marks into how many parts work is divided: it decides how soon a result is there, never the result."""


@dataclass(frozen=True)
class IsWithin:
    """Marks a path that stays below the folder it is taken from: neither absolute nor with `..`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The text's own check, and then this one. Imported here, so that this module stays free of it."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(_refuse_outside, handler(source))


def _refuse_outside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or not path.strip():
        raise ValueError(f"{path!r} is no place below the folder")
    return path


Location = Annotated[str, IsLocation()]
RunPlace = Annotated[str, IsLocation(), IsRun()]
RecipeGiven = Annotated[str | dict[str, Any], IsRecipe()]
TrainedRecipe = Annotated[str | dict[str, Any], IsRecipe(trained=True)]
PlaceWithin = Annotated[str, IsWithin()]
CommandWord = Annotated[str, MayBeFile()]
Workers = Annotated[int, Ge(1), IsDivision()]


@dataclass(frozen=True)
class ComponentOf:
    """Marks a value as a component: a name, or a mapping with `name` and its parameters.

    `Annotated[dict[str, Any], ComponentOf("loss")]` is validated against the signature of the loss
    that it names, and always is the whole mapping afterwards. It works for the recipe's own fields
    and, nested, for a component's parameters (`list` and `dict` of components too).

    Attributes:
        kind: One of the registry's kinds.
        default: Name that is meant when a mapping gives parameters only.
    """

    kind: str
    default: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Hands the check to the registry. Imported here, so that this module stays free of it."""
        from trainwright.registry.nesting import component_schema

        return component_schema(self)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """A placeholder that `recipe.json_schema` replaces by the schemas of all components."""
        return {"component": self.kind}
