"""Writes recipe values as YAML that YAML 1.1 and 1.2 readers understand alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from trainwright.recipe.nodes import KeyPath
from trainwright.recipe.yaml12 import VARIABLE

Comment = Callable[[KeyPath], str]

_SAFE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*")
_WORDS_OF_YAML_1_1 = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def emit(value: Mapping[str, Any], comment: Comment | None = None) -> str:
    """A plain mapping as YAML, one scalar or short list a line.

    Args:
        value: Mappings, lists, text, numbers, truth values and None.
        comment: Text for the end of the line of a key path; empty for none.
    """
    return "\n".join(_block(value, (), 0, comment or (lambda path: ""))) + "\n"


def emit_unexpanded(value: Mapping[str, Any]) -> str:
    """Like `emit`, for values whose variables are still to be expanded."""
    return VARIABLE.sub(lambda found: found[0][1:], emit(value))


def _block(value: Any, path: KeyPath, indent: int, comment: Comment) -> list[str]:
    pad = "  " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            here = (*path, key)
            head = f"{pad}{scalar(str(key))}:"
            lines += _entry(head, item, here, indent, comment)
        return lines
    for index, item in enumerate(value):
        here = (*path, index)
        if isinstance(item, Mapping) and item:
            inner = _block(item, here, indent + 1, comment)
            inner[0] = f"{pad}- {inner[0].lstrip(' ')}"
            lines += inner
        else:
            lines += _entry(f"{pad}-", item, here, indent, comment)
    return lines


def _entry(head: str, item: Any, path: KeyPath, indent: int, comment: Comment) -> list[str]:
    if _fits_a_line(item):
        line = f"{head} {flow(item)}"
        said = comment(path)
        return [f"{line}  # {said}" if said else line]
    return [head, *_block(item, path, indent + 1, comment)]


def _fits_a_line(item: Any) -> bool:
    if isinstance(item, Mapping):
        return not item
    return not isinstance(item, list | tuple) or not any(isinstance(x, Mapping | list | tuple) for x in item)


def flow(value: Any) -> str:
    """A value on one line, as an override would write it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    return text(value) if isinstance(value, str) else str(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits = repr(value)
    # YAML 1.1 reads 1e-05 as text: it wants a dot before the exponent.
    return digits.replace("e", ".0e") if "e" in digits and "." not in digits else digits


def text(value: str) -> str:
    """Text as a YAML scalar, so written that reading it expands no variable."""
    return scalar(VARIABLE.sub(lambda found: "$" + found[0], value))


def scalar(value: str) -> str:
    """Text as a YAML scalar: plain where no reader could take it for something else."""
    if _SAFE.fullmatch(value) and value.lower() not in _WORDS_OF_YAML_1_1:
        return value
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
