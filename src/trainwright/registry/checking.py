"""Checks a component's mapping against its signature, before anything is built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from trainwright.errors import RecipeError, closest, raise_all
from trainwright.fields import ComponentOf, IsDivision
from trainwright.registry.catalogue import describe, names
from trainwright.registry.dead_values import dead_values
from trainwright.registry.info import UNANNOTATED, ComponentInfo, Parameter
from trainwright.registry.plain_words import describe_type, show_with_type
from trainwright.registry.problems import Problem, problems_from, unknown_key
from trainwright.registry.unread_parameters import unread_parameters
from trainwright.registry.user_code import resolve

_FEW = 6


@dataclass
class Checked:
    """The outcome of a check.

    Attributes:
        spec: `name` and every parameter, as plain data; only what could be read where there are problems.
        problems: What is wrong.
        notices: What a person should know though nothing is wrong.
    """

    spec: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def validate(kind: str, spec: str | Mapping[str, Any], *, where: str = "") -> dict[str, Any]:
    """The whole mapping of a component: its name and every parameter, defaults filled in.

    Values are plain data, as in YAML; `build` turns them into what the signature asks for.

    Args:
        kind: Component kind.
        spec: A name, or a mapping with `name` and parameters.
        where: Key path or `file:line` for errors.

    Raises:
        RecipeError: One problem. ErrorList: several.
    """
    checked = check(kind, spec)
    raise_all([problem.error(where) for problem in checked.problems])
    return checked.spec


def check(kind: str, spec: Any, *, default: str | None = None, name_key: str = "name") -> Checked:
    """Like `validate`, but gives problems and notices instead of raising.

    Args:
        kind: Component kind.
        spec: What the recipe says.
        default: Name that is meant when the mapping has none.
        name_key: `type` for a column, which names its processor.
    """
    given, problem = _as_mapping(kind, spec, default, name_key)
    if problem:
        return Checked({}, [problem])
    name = given.pop(name_key)
    try:
        info = describe(kind, name)
    except RecipeError as error:
        what = f"{error.where}: {error.what}" if error.where else error.what
        return Checked({name_key: name, **given}, [Problem((name_key,), what, error.why, error.fix)])
    checked = _check_parameters(info, given)
    checked.spec = {name_key: name, **checked.spec}
    return checked


def _as_mapping(
    kind: str, spec: Any, default: str | None, name_key: str
) -> tuple[dict[str, Any], Problem | None]:
    if isinstance(spec, str):
        return {name_key: spec}, None
    if not isinstance(spec, Mapping):
        words = describe_type(Annotated[dict, ComponentOf(kind)])
        return {}, Problem((), f"expected {words}, got {show_with_type(spec)}", fix=f"give {words}")
    name = spec.get(name_key, default)
    if name is None:
        fix = f"give one: `trainwright explain {kind}` lists them"
        return {}, Problem((name_key,), f"the {kind} has no `{name_key}`", fix=fix)
    if not isinstance(name, str):
        what = f"expected the name of a {kind}, got {show_with_type(name)}"
        return {}, Problem((name_key,), what, fix=f"`trainwright explain {kind}` lists the names")
    return {**{key: value for key, value in spec.items() if key != name_key}, name_key: name}, None


def _check_parameters(info: ComponentInfo, given: dict[str, Any]) -> Checked:
    known = {parameter.name: parameter for parameter in info.parameters}
    checked = Checked({})
    for name in given:
        if name not in known:
            checked.problems.append(_unknown_parameter(info, name))
    for parameter in info.parameters:
        if parameter.name in given:
            _check_value(info, parameter, given[parameter.name], checked)
        elif parameter.required:
            words = f"{info.kind} `{info.name}` needs `{parameter.name}`"
            fix = (
                f"{parameter.name}: {parameter.doc}"
                if parameter.doc
                else f"give {describe_type(parameter.annotation)}"
            )
            checked.problems.append(Problem((parameter.name,), words, fix=fix))
        elif parameter.default and holds_component(parameter.annotation):
            _check_value(info, parameter, parameter.default, checked)
        elif is_plain(parameter.default):
            checked.spec[parameter.name] = plain(parameter.default)
    if not checked.problems:
        checked.problems += dead_values(info, given, checked.spec)
        checked.problems += _unread(info, given, checked.spec)
    return checked


def _unread(info: ComponentInfo, given: dict[str, Any], filled: dict[str, Any]) -> list[Problem]:
    """Values for parameters that a component of the user's own takes and never looks at."""
    if not info.user_code:
        return []
    chosen = [
        parameter.name
        for parameter in info.parameters
        if parameter.name in given
        and filled.get(parameter.name) != parameter.default
        # Into how many parts work is divided is no part of any result, whether it is heeded or not.
        and not any(isinstance(m, IsDivision) for m in getattr(parameter.annotation, "__metadata__", ()))
    ]
    return [
        Problem(
            (name,),
            f"`{name}` has no effect",
            why=f"{info.name} takes it and never reads it, at {place}",
            fix=f"remove `{name}`, or let the code use it",
        )
        for name, place in unread_parameters(resolve(info.target), chosen).items()
    ]


def _unknown_parameter(info: ComponentInfo, name: str) -> Problem:
    if name in info.positional:
        what = f"`{name}` of {info.kind} `{info.name}` is filled by the tool"
        return Problem((name,), what, fix="remove it")
    return replace(
        unknown_key((name,), [], f"parameter of {info.kind} `{info.name}`:"),
        fix=about_unknown_parameter(info, name),
        unknown_key=closest(name, [parameter.name for parameter in info.parameters]) is None,
    )


def about_unknown_parameter(info: ComponentInfo, name: str) -> str:
    """What to do about a parameter that a component does not have.

    The one that was probably meant; else all that it has, and which components of its kind have this one.
    """
    own = [parameter.name for parameter in info.parameters]
    guess = closest(name, own)
    if guess:
        return f"did you mean `{guess}`?"
    others = [other for other in names(info.kind) if describe(info.kind, other).parameter(name)]
    has = f"{info.name} has: {', '.join(own)}" if own else f"{info.name} has no parameters: remove it"
    if not others:
        return has
    return f"{has}; {_listed(others)} {'has' if len(others) == 1 else 'have'} `{name}`"


def _listed(items: list[str]) -> str:
    if len(items) > _FEW:
        items = [*items[: _FEW - 1], f"{len(items) - _FEW + 1} more"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _check_value(info: ComponentInfo, parameter: Parameter, value: Any, checked: Checked) -> None:
    if parameter.annotation is UNANNOTATED:
        text = f"{info.kind} {info.name}: `{parameter.name}` has no readable annotation and is not checked"
        checked.notices.append(text)
        checked.spec[parameter.name] = value
        return
    try:
        typed = convert(parameter.annotation, value, checked.notices)
    except ValidationError as error:
        found = problems_from(error, parameter.annotation, value)
        checked.problems += [problem.under(parameter.name) for problem in found]
    except PydanticUserError:
        what = f"`{parameter.name}` is a {parameter.text}, which a recipe cannot give"
        checked.problems.append(Problem((parameter.name,), what, fix="remove it"))
    else:
        checked.spec[parameter.name] = adapter(parameter.annotation).dump_python(typed, mode="json")


def convert(annotation: Any, value: Any, notices: list[str] | None = None) -> Any:
    """A plain value as the signature asks for it: a list becomes a tuple, a text a path.

    Strict: text is never read as a number, nor a truth value as one. Raises pydantic.ValidationError.
    """
    # JSON is the form in which pydantic is strict about scalars and still takes a list for a tuple.
    text = json.dumps(value, default=str)
    return adapter(annotation).validate_json(text, strict=True, context={"notices": notices})


def adapter(annotation: Any) -> TypeAdapter[Any]:
    """pydantic's validator of an annotation, made once."""
    try:
        return _cached_adapter(annotation)
    except TypeError:  # an annotation that cannot be hashed
        return _new_adapter(annotation)


def _new_adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config=ConfigDict(allow_inf_nan=False))


_cached_adapter = lru_cache(maxsize=512)(_new_adapter)


def holds_component(annotation: Any) -> bool:
    """Whether a value of this type is, or contains, a component, whose defaults are then filled in."""
    marks = getattr(annotation, "__metadata__", ())
    if any(isinstance(mark, ComponentOf) for mark in marks):
        return True
    return any(map(holds_component, getattr(annotation, "__args__", ())))


def is_plain(value: Any) -> bool:
    """Whether a default can be written in a recipe. One that cannot is left to the constructor."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def plain(value: Any) -> Any:
    """A fresh copy of a plain value, with lists for tuples."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
