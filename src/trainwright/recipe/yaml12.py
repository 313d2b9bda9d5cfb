"""Reads YAML with line numbers, with the scalars of YAML 1.2's core schema.

`1e-3` is a number; `on`, `off`, `yes`, `no` and dates are text; octal is `0o17`. Duplicate keys
are refused. Anchors and merge keys work, within bounds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from trainwright.errors import RecipeError, TrainwrightError, raise_all
from trainwright.recipe.nodes import Node, Origin, Unset
from trainwright.recipe.yaml_faults import syntax_error

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNTYPED = "untyped"
_LARGEST = 100_000
"""Nodes after aliases are expanded. A recipe has hundreds; an alias bomb has billions."""
_DEEPEST = 64


class _Loader(_BASE):
    """Leaves plain scalars untyped: `resolve_scalar` types them."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and implicit[0]:
            return _UNTYPED
        return _BASE.resolve(self, kind, value, implicit)


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})


def resolve_scalar(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text):
        # Python refuses to read integers of thousands of digits; as text it is refused by the schema.
        return int(text) if len(text) < 1000 else text
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return float("nan") if text in _NAN else text


_TAGS: dict[str, Callable[[str], Any]] = {
    _UNTYPED: resolve_scalar,
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": resolve_scalar,
    "tag:yaml.org,2002:float": lambda text: float(resolve_scalar(text)),
    "tag:yaml.org,2002:bool": resolve_scalar,
    "tag:yaml.org,2002:null": lambda text: None,
}

VARIABLE = re.compile(r"\$(?P<escaped>\$)?\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}")


def parse(text: str, source: str, environment: Mapping[str, str] | None = None) -> Node:
    """The nodes of a YAML document.

    Args:
        text: The document.
        source: Name of the file, for origins and errors.
        environment: For `${VAR}` and `${VAR:-default}`; this process's when None.

    Raises:
        RecipeError, ErrorList: It is not YAML, keys are duplicate, a variable is not set, ...
    """
    node = parse_open(text, source, environment)
    refuse_unset(node)
    return node


def refuse_unset(node: Node) -> None:
    """Raises RecipeError, ErrorList where variables are not set."""
    raise_all(
        [
            RecipeError(
                f"the environment variable {name} is not set", where=str(item.origin), fix=_set_it(name)
            )
            for item in node.unset()
            for name in item.value.names
        ]
    )


def parse_open(text: str, source: str, environment: Mapping[str, str] | None = None) -> Node:
    """As `parse`, but a text whose variables are not set stays `Unset`, for something to take its place."""
    loader = None
    try:
        # Creating the loader reads the start of the text, which can fail already.
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        raise syntax_error(error, text, source) from error
    finally:
        if loader is not None:
            loader.dispose()
    reader = _Reader(source, os.environ if environment is None else environment)
    node = Node(None, Origin(source, 1)) if root is None else reader.read(root, 0)
    raise_all(reader.errors)
    return node


def parse_value(text: str, origin: Origin, environment: Mapping[str, str] | None = None) -> Node:
    """The nodes of one value, as given to an override; every node has the same origin.

    Raises:
        RecipeError, ErrorList: As for `parse`.
    """
    return _with_origin(parse(text, str(origin), environment), origin)


def _with_origin(node: Node, origin: Origin) -> Node:
    if isinstance(node.value, dict):
        return Node({key: _with_origin(item, origin) for key, item in node.value.items()}, origin)
    if isinstance(node.value, list):
        return Node([_with_origin(item, origin) for item in node.value], origin)
    return Node(node.value, origin)


class _Reader:
    """Turns PyYAML's nodes into ours, collecting every error."""

    def __init__(self, source: str, environment: Mapping[str, str]) -> None:
        self.source, self.environment = source, environment
        self.errors: list[TrainwrightError] = []
        self.count = 0
        self.open: set[int] = set()

    def _line(self, node: yaml.Node) -> int:
        return node.start_mark.line + 1

    def _fail(self, node: yaml.Node, what: str, fix: str) -> None:
        self.errors.append(RecipeError(what, where=f"{self.source}:{self._line(node)}", fix=fix))

    def read(self, node: yaml.Node, depth: int) -> Node:
        """The plain value of a YAML node with the place that it stands at; faults are kept in `errors`.

        Raises:
            RecipeError: Aliases expand to too much, nest too deep, or contain themselves.
        """
        self.count += 1
        origin = Origin(self.source, self._line(node))
        if self.count > _LARGEST or depth > _DEEPEST:
            raise RecipeError(
                "too large after its aliases are expanded, or too deep",
                where=str(origin),
                fix="write what the aliases stand for, or nest less deeply",
            )
        if id(node) in self.open:
            raise RecipeError("an alias contains itself", where=str(origin), fix="write what it stands for")
        if isinstance(node, yaml.ScalarNode):
            return Node(self._scalar(node), origin)
        self.open.add(id(node))
        value = self._mapping(node, depth) if isinstance(node, yaml.MappingNode) else self._list(node, depth)
        self.open.discard(id(node))
        return Node(value, origin)

    def _list(self, node: yaml.Node, depth: int) -> list[Node]:
        return [self.read(item, depth + 1) for item in node.value]

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        items: dict[str, Node] = {}
        lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fail(
                    key, "a key must be a single word, not a list or a mapping", "quote it, if it is a text"
                )
            elif key.tag == _UNTYPED and key.value == "<<":
                merged.append(value)
            elif key.value in lines:
                first = lines[key.value]
                self._fail(key, f"duplicate key `{key.value}`, first on line {first}", "remove one of them")
            else:
                lines[key.value] = self._line(key)
                item = self.read(value, depth + 1)
                # The key's line is where a person looks; an alias' value stands elsewhere.
                item.origin = Origin(self.source, self._line(key))
                items[key.value] = item
        for value in merged:
            for key, item in self._merged(value, depth).items():
                items.setdefault(key, item)
        return items

    def _merged(self, value: yaml.Node, depth: int) -> dict[str, Node]:
        """What `<<` brings in: one mapping, or several of which the earlier win."""
        found: dict[str, Node] = {}
        for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(item, yaml.MappingNode):
                self._fail(value, "`<<` takes a mapping or a list of mappings", "give it an alias: <<: *NAME")
                continue
            for key, node in self.read(item, depth + 1).value.items():
                found.setdefault(key, node)
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        typed = _TAGS.get(node.tag)
        if typed is None:
            self._fail(node, f"the tag {node.tag} is not allowed in a recipe", "write a plain value")
            return None
        text, missing = expand(node.value, self.environment)
        if missing:
            return Unset(node.value, tuple(missing))
        try:
            return typed(text)
        except (TypeError, ValueError):
            kind = node.tag.rpartition(":")[2]
            self._fail(node, f"{text!r} does not fit its tag {kind}", f"remove the tag, or write a {kind}")
            return None


def expand_given(node: Node, environment: Mapping[str, str] | None = None) -> Node:
    """Expands variables in the texts of a mapping that came from Python; `Unset` where one is not set."""
    known = os.environ if environment is None else environment
    if isinstance(node.value, dict):
        return Node({key: expand_given(item, known) for key, item in node.value.items()}, node.origin)
    if isinstance(node.value, list):
        return Node([expand_given(item, known) for item in node.value], node.origin)
    if not isinstance(node.value, str):
        return node
    text, missing = expand(node.value, known)
    return Node(Unset(node.value, tuple(missing)) if missing else text, node.origin)


def expand(text: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """Replaces `${VAR}` and `${VAR:-default}`; `$${VAR}` stands for the text `${VAR}`.

    Returns:
        The text, and names of variables that are not set and have no default.
    """
    missing: list[str] = []

    def replace(found: re.Match[str]) -> str:
        if found["escaped"]:
            return found[0][1:]
        value = environment.get(found["name"], found["default"])
        if value is None:
            missing.append(found["name"])
        return value or ""

    return VARIABLE.sub(replace, text) if "$" in text else text, missing


def _set_it(name: str) -> str:
    return f"set it, or give a default: ${{{name}:-value}}"
