"""What is wrong with a text that is no YAML, in words that lead to the letter to change."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from trainwright.errors import RecipeError

_NO_SPACE = re.compile(r"^\s*(?:- +)?([A-Za-z_][\w.-]*):([^\s/:][^:]*)$")
_RESERVED = re.compile(r"[:\-\[{,]\s*([@`%*&][^\s,\]}]*)")
_ADVICE = {
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the mapping with }",
    "found unexpected end of stream": "close the quote that is opened there",
    "found unknown escape character": "write it between single quotes, in which a backslash is a letter",
    "found undefined alias": "define it before with &NAME, or quote a text that begins with *",
    "but found another document": "keep one document in the file: remove the line `---`",
    "did not find expected '-' indicator": "begin every item with - in the same column",
    "did not find expected key": "begin the keys of one mapping in the same column",
    "mapping values are not allowed": "begin the keys of one mapping in the same column, one a line, and "
    "quote a text with a colon in it",
}


def syntax_error(error: yaml.YAMLError, text: str, source: str) -> RecipeError:
    """The error to raise for a text that cannot be read.

    Args:
        error: What the reader of YAML says.
        text: The whole document.
        source: Name of the file.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    begun = getattr(error, "context_mark", None)
    if begun is not None and "quoted scalar" in (getattr(error, "context", None) or ""):
        mark = begun  # an open quote is found at the end of the text only
    lines = text.splitlines()
    number = min(mark.line, len(lines) - 1) if mark and lines else None
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    context = getattr(error, "context", None) or ""
    if number is not None:
        found = _tab(lines, number, source) or _missing_space(lines, number, source)
        if found is not None:
            return found
    if begun is not None and mark is not None and begun.line != mark.line:
        context += f" that begins on line {begun.line + 1}"
    return RecipeError(
        f"not valid YAML: {problem}",
        where=source if mark is None else f"{source}:{mark.line + 1}",
        why=context,
        fix=_advice(problem, "" if number is None else lines[number]),
    )


def _tab(lines: Sequence[str], number: int, source: str) -> RecipeError | None:
    """The line at which reading stopped, or the one before it, is indented by a tab."""
    for at in (number, number - 1):
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())] if at >= 0 else ""
        if "\t" in indent:
            return RecipeError(
                "not valid YAML: the line is indented by a tab",
                where=f"{source}:{at + 1}",
                why="how wide a tab is differs from editor to editor",
                fix="indent with spaces",
            )
    return None


def _missing_space(lines: Sequence[str], number: int, source: str) -> RecipeError | None:
    """A line up to that at which reading stopped has `key:value` where `key: value` was meant."""
    for at in (number, number - 1):
        found = _NO_SPACE.match(lines[at]) if at >= 0 else None
        if found:
            key, value = found[1], found[2].strip()
            return RecipeError(
                f"not valid YAML: `{key}:{value}` is one word",
                where=f"{source}:{at + 1}",
                why="without a space behind the colon it is no key with a value",
                fix=f"put a space behind the colon: `{key}: {value}`",
            )
    return None


def _advice(problem: str, line: str) -> str:
    for words, advice in _ADVICE.items():
        if words in problem:
            return advice
    reserved = _RESERVED.search(line)
    if reserved:
        return f"put it between quotes: '{reserved[1]}'"
    return "compare the line and those before it with `trainwright recipes show digits`"
