"""What is wrong with a value: found by pydantic or by us, told in the recipe's own words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from trainwright.errors import RecipeError, closest
from trainwright.registry.plain_words import describe_type, members, show_with_type

Path = tuple[str | int, ...]
_DECIMAL_COMMA = re.compile(r"\s*([-+]?\d+),(\d+)\s*")
_SHARE = re.compile(r">= 0 and <=? 1(?![\d.])")
_KEY_AND_VALUE = re.compile(r"([A-Za-z_][\w.-]*):([^\s/:].*)")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: Where, relative to what was checked.
        what: In one sentence.
        why: The reason where it is not plain.
        fix: What to do.
        unknown_key: The path's last part is a key that does not exist.
    """

    path: Path
    what: str
    why: str = ""
    fix: str = ""
    unknown_key: bool = False

    def under(self, *prefix: str | int) -> Problem:
        """The same problem seen from further up."""
        return replace(self, path=(*prefix, *self.path))

    def error(self, where: str) -> RecipeError:
        """As an exception; `where` is a key path or `file:line`."""
        place = ".".join([where, *map(str, self.path)]) if where else ".".join(map(str, self.path))
        return RecipeError(self.what, where=place, why=self.why, fix=self.fix)


def carry(problems: Sequence[Problem]) -> PydanticCustomError:
    """Wraps problems so that they pass through pydantic's collection of errors."""
    return PydanticCustomError("problems", "see the context", {"problems": list(problems)})


def unknown_key(path: Path, options: Iterable[str], what: str = "key") -> Problem:
    """A key that does not exist, with the one that was probably meant."""
    known = sorted(options)
    guess = closest(str(path[-1]), known)
    fix = f"did you mean `{guess}`?" if guess else f"known: {', '.join(known)}" if known else "remove it"
    return Problem(path, f"unknown {what} `{path[-1]}`", fix=fix, unknown_key=guess is None)


def problems_from(error: ValidationError, annotation: Any, data: Any) -> list[Problem]:
    """Pydantic's errors in plain words, one for each wrong value.

    Args:
        error: What pydantic found.
        annotation: The type that was validated against.
        data: What was validated, as plain data.
    """
    found: dict[Path, list[Problem]] = {}
    for item in error.errors(include_url=False):
        path = _data_path(item["loc"], data)
        for problem in _translate(dict(item), path, annotation, data):
            found.setdefault(problem.path, []).append(problem)
    # An alternative of a union that got further down says more than "expected this or that".
    deeper = {path[:end] for path in found for end in range(len(path))}
    return [_merge(group, annotation, data) for path, group in found.items() if path not in deeper]


def _merge(group: list[Problem], annotation: Any, data: Any) -> Problem:
    """A union reports each alternative: those errors become one sentence that names them all."""
    if len({problem.what for problem in group}) == 1:
        return group[0]
    path = group[0].path
    return _mismatch(path, step_all(annotation, path), _value_at(data, path))


def _translate(item: Mapping[str, Any], path: Path, annotation: Any, data: Any) -> list[Problem]:
    kind = item["type"]
    if kind == "problems":
        return [problem.under(*path) for problem in item["ctx"]["problems"]]
    if kind == "missing":
        return [_missing((*path, item["loc"][-1]), annotation)]
    if kind == "extra_forbidden":
        return [unknown_key(path, child_names(step_all(annotation, path[:-1])))]
    problem = _mismatch(path, step_all(annotation, path), item.get("input"))
    if kind == "value_error":
        return [replace(problem, what=str(item["ctx"]["error"]))]
    return [problem]


def _missing(path: Path, annotation: Any) -> Problem:
    return Problem(path, f"`{path[-1]}` is missing", fix=f"give {describe_type(step_all(annotation, path))}")


def _mismatch(path: Path, annotation: Any, value: Any) -> Problem:
    words = "another value" if annotation is None else describe_type(annotation)
    choices = [v for m in members(annotation) if get_origin(m) is Literal for v in get_args(m)]
    texts = [v for v in choices if isinstance(v, str)]
    guess = closest(value, texts) if isinstance(value, str) else None
    if guess is None and isinstance(value, str) and value:
        guess = next((text for text in texts if text.startswith(value)), None)
    fix = f"did you mean `{guess}`?" if guess else f"give {words.partition(' (')[0]}"
    if "number" in words:
        fix = _mend_number(value, words) or fix
    elif isinstance(value, str) and (found := _KEY_AND_VALUE.match(value)):
        fix = f"put a space behind the colon: `{found[1]}: {found[2]}`"
    return Problem(path, f"expected {words}, got {show_with_type(value)}", fix=fix)


def _mend_number(value: Any, words: str) -> str:
    """How a number was probably meant; empty where that is not known.

    Args:
        value: What was given.
        words: What is expected.
    """
    if _is_infinite(value):
        return "a number must be finite"
    if isinstance(value, str) and _is_number(value):
        return "remove the quotes"
    if isinstance(value, str) and (found := _DECIMAL_COMMA.fullmatch(value)):
        return f"write a point before the fraction: {found[1]}.{found[2]}"
    if isinstance(value, str) and (number := _leading_number(value)):
        return f"write the number alone: {number}"
    if _is_plain_number(value) and 1 < value <= 100 and _SHARE.search(words):
        return f"give a share from 0 to 1: {value / 100:g} for {value:g} %"
    return ""


def _is_plain_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_infinite(value: Any) -> bool:
    """Whether a value is, or is the text of, an infinity or NaN."""
    if isinstance(value, str):
        return _is_number(value) and not math.isfinite(float(value))
    return isinstance(value, float) and not math.isfinite(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _leading_number(text: str) -> str:
    """The number before a unit, as in `64 images` or `10s`; empty where there is none."""
    found = re.match(r"\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*[A-Za-z%]", text)
    return found[1] if found else ""


def _data_path(loc: Sequence[str | int], data: Any) -> Path:
    """The part of pydantic's location that is in the data; tags of union members are left out."""
    path: list[str | int] = []
    for part in loc:
        inside = isinstance(data, Mapping) and part in data
        inside = inside or (isinstance(data, list | tuple) and isinstance(part, int) and part < len(data))
        if not inside:
            continue
        data = data[part]
        path.append(part)
    return tuple(path)


def _value_at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def bare(annotation: Any) -> Any:
    """An annotation without its `Annotated` marks."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def step(annotation: Any, part: str | int) -> Any:
    """The annotation of a key or an item, or None where there cannot be one."""
    for option in members(bare(annotation)):
        inner = _step_one(bare(option), part)
        if inner is not None:
            return inner
    return None


def _step_one(option: Any, part: str | int) -> Any:
    if isinstance(option, type) and issubclass(option, BaseModel):
        known = option.model_fields.get(str(part))
        if known is None:
            return None
        return Annotated[known.annotation, *known.metadata] if known.metadata else known.annotation
    origin, arguments = get_origin(option), get_args(option)
    if origin in (dict, Mapping) and arguments:
        return arguments[1]
    if isinstance(part, int) and arguments:
        if origin is tuple and arguments[-1] is not Ellipsis:
            return arguments[part] if part < len(arguments) else None
        return arguments[0] if origin in (list, tuple, Sequence) else None
    return None


def step_all(annotation: Any, path: Path) -> Any:
    """`step` along a whole path."""
    for part in path:
        annotation = None if annotation is None else step(annotation, part)
    return annotation


def child_names(annotation: Any) -> list[str]:
    """Names of a section's keys, in order."""
    for option in members(bare(annotation)):
        option = bare(option)
        if isinstance(option, type) and issubclass(option, BaseModel):
            return [*option.model_fields, *getattr(option, "read_before", ())]
    return []
