"""The values of a stage whose type says what they stand for: files, runs, recipes, divisions of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from trainwright.fields import IsDivision, IsLocation, IsRecipe, IsRun, MayBeFile
from trainwright.recipe.nodes import KeyPath
from trainwright.registry.plain_words import members

if TYPE_CHECKING:
    from trainwright.workflows.pipeline.definition import Stage


@dataclass(frozen=True)
class MarkedValue:
    """A value with the marks of its type.

    Attributes:
        path: Key path within the stage.
        value: As plain data.
        marks: What `Annotated` says of it, see `trainwright.fields`.
    """

    path: KeyPath
    value: Any
    marks: tuple[Any, ...]

    def mark(self, kind: type) -> Any:
        """The mark of a kind, or None."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def is_run(self) -> bool:
        """Whether it names a run."""
        return self.mark(IsRun) is not None

    @property
    def is_place(self) -> bool:
        """Whether it names a file, a folder or a run."""
        return self.mark(IsLocation) is not None

    @property
    def may_be_file(self) -> bool:
        """Whether it is a text that may name a file."""
        return self.mark(MayBeFile) is not None

    @property
    def recipe(self) -> IsRecipe | None:
        """Its mark as a recipe."""
        found: IsRecipe | None = self.mark(IsRecipe)
        return found

    @property
    def is_division(self) -> bool:
        """Whether it only says into how many parts work is divided."""
        return self.mark(IsDivision) is not None


def marked_values(stage: Stage) -> list[MarkedValue]:
    """Every value of a stage whose type has marks; values that are not set are left out."""
    found: list[MarkedValue] = []
    for parameter in stage.info.parameters:
        if parameter.name in stage.spec:
            found += _walk(parameter.annotation, stage.spec[parameter.name], (parameter.name,))
    return found


def _walk(annotation: Any, value: Any, path: KeyPath) -> Iterator[MarkedValue]:
    if value is None:
        return
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield MarkedValue(path, value, tuple(marks))
        annotation = inner
    for option in members(annotation):
        origin, arguments = get_origin(option), get_args(option)
        if origin is Annotated:
            yield from _walk(option, value, path)
        elif origin is dict and isinstance(value, dict):
            for key, item in value.items():
                yield from _walk(arguments[1], item, (*path, key))
        elif origin in (list, tuple) and isinstance(value, list):
            for index, item in enumerate(value):
                yield from _walk(arguments[0], item, (*path, index))
