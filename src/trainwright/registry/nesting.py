"""Lets pydantic check components where they stand in a recipe, or within one another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from trainwright.errors import closest
from trainwright.fields import ComponentOf
from trainwright.registry.checking import check
from trainwright.registry.problems import Problem, carry, problems_from


def component_schema(mark: ComponentOf) -> CoreSchema:
    """pydantic's schema of a value that is a component."""

    def validate(value: Any, info: ValidationInfo) -> dict[str, Any]:
        checked = check(mark.kind, value, default=mark.default)
        _tell(info, checked.notices)
        if checked.problems:
            raise carry(checked.problems)
        return checked.spec

    return core_schema.with_info_plain_validator_function(validate)


def fill_column(
    owner: type[BaseModel], value: Any, handler: Callable[[Any], Any], info: ValidationInfo
) -> Any:
    """Validates a column: keys that the schema does not know are its processor's parameters.

    Args:
        owner: The model class.
        value: What the recipe says.
        handler: pydantic's own validation of the class.
        info: pydantic's context.
    """
    known = owner.model_fields
    if isinstance(value, owner):
        return value
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        return handler(value)
    own = {key: item for key, item in value.items() if key in known and key != "type"}
    extra = {key: item for key, item in value.items() if key not in own}
    checked = check("processor", extra, name_key="type")
    _tell(info, checked.notices)
    problems: list[Problem] = _name_own_keys(checked.problems, known)
    try:
        column = handler({"type": value["type"], **own, **checked.spec})
    except ValidationError as error:
        problems += problems_from(error, owner, value)
    if problems:
        raise carry(problems)
    return column


def _name_own_keys(problems: list[Problem], known: Collection[str]) -> list[Problem]:
    """An unknown parameter may be a misspelt key of the column itself."""
    named = []
    for problem in problems:
        guess = closest(str(problem.path[-1]), known) if problem.unknown_key else None
        named.append(
            replace(problem, fix=f"did you mean `{guess}`?", unknown_key=False) if guess else problem
        )
    return named


def _tell(info: ValidationInfo, notices: list[str]) -> None:
    told = (info.context or {}).get("notices")
    if told is not None:
        told += notices
