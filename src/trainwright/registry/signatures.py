"""Splits a signature into what the tool fills and what belongs to the recipe."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainwright.errors import RecipeError
from trainwright.registry.info import REQUIRED, ComponentInfo, Parameter
from trainwright.registry.tables import POSITIONAL

Kind = inspect._ParameterKind
POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
POSITIONAL_OR_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD
SUIT_TYPES = ("loss", "metric", "head", "model")
"""Kinds whose modules say in `TARGETS` which types of target column they suit."""
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL
VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD


@dataclass(frozen=True)
class Argument:
    """One formal parameter, read from source text or from a live object."""

    name: str
    how: Kind
    annotation: Any
    default: Any
    text: str


def assemble(
    kind: str,
    name: str,
    target: str,
    arguments: Sequence[Argument],
    doc: str,
    constants: Mapping[str, Any],
    source_file: str | None,
) -> ComponentInfo:
    """The description of a component.

    Args:
        kind: Its kind.
        name: Its name in the recipe.
        target: `module:attribute`.
        arguments: Its formal parameters, without `self`.
        doc: Its docstring.
        constants: `DEAD_WHEN` and `VERSION` of its module, each by attribute; and its `TARGETS`.
        source_file: Where it is written.

    Raises:
        RecipeError: The signature is not one that a recipe can address.
    """
    _refuse_open_ended(name, arguments, source_file)
    filled = set(POSITIONAL[kind])
    tool = [a for a in arguments if a.how is not KEYWORD_ONLY and a.name in filled]
    ours = [a for a in arguments if a not in tool]
    for argument in ours:
        if argument.how is POSITIONAL_ONLY and argument.default is REQUIRED:
            raise RecipeError(
                f"{name} needs the positional argument `{argument.name}`, which is not given to a {kind}",
                where=source_file or "",
                fix=f"the tool gives: {', '.join(POSITIONAL[kind]) or 'nothing'}",
            )
    docs = argument_docs(doc)
    attribute = target.partition(":")[2]
    return ComponentInfo(
        kind=kind,
        name=name,
        target=target,
        doc=inspect.cleandoc(doc),
        parameters=tuple(
            Parameter(a.name, a.annotation, a.default, a.text, docs.get(a.name, "")) for a in ours
        ),
        positional=tuple(a.name for a in tool),
        needs=tuple(a.name for a in tool if a.default is REQUIRED),
        dead_when=constants.get("DEAD_WHEN", {}).get(attribute, {}),
        source_file=source_file,
        version=constants.get("VERSION", {}).get(attribute, 1),
        targets=tuple(constants.get("TARGETS", ())) if kind in SUIT_TYPES else (),
    )


def _refuse_open_ended(name: str, arguments: Sequence[Argument], source_file: str | None) -> None:
    for argument in arguments:
        if argument.how in (VAR_KEYWORD, VAR_POSITIONAL):
            stars = "**" if argument.how is VAR_KEYWORD else "*"
            raise RecipeError(
                f"{name} takes `{stars}{argument.name}`",
                where=source_file or "",
                why="a recipe is checked against the signature, and this one accepts anything",
                fix="name each parameter; for a foreign factory take `options: dict` and check it",
            )


_ENTRY = re.compile(r"^(\*{0,2}\w+)(?: \([^)]*\))?:\s*(.*)$")


def argument_docs(doc: str) -> dict[str, str]:
    """Entries of the `Args:` section of a Google-style docstring, each on one line."""
    lines = inspect.cleandoc(doc).splitlines()
    if "Args:" not in lines:
        return {}
    entries: dict[str, str] = {}
    last = ""
    for line in lines[lines.index("Args:") + 1 :]:
        if line and not line.startswith(" "):
            break
        found = _ENTRY.match(line[4:]) if line.startswith("    ") and line[4:5].strip() else None
        if found:
            last = found[1]
            entries[last] = found[2]
        elif last and line.strip():
            entries[last] += " " + line.strip()
    return {name: text.strip() for name, text in entries.items()}
