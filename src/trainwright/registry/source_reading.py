"""Reads the signatures of built-in components from their source, without importing them.

Importing an optimizer would import torch, which takes seconds; a recipe is checked in
milliseconds. Only our own files are read this way, so evaluating their annotations is safe.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trainwright.registry.info import REQUIRED, UNANNOTATED, ComponentInfo
from trainwright.registry.signatures import (
    KEYWORD_ONLY,
    POSITIONAL_ONLY,
    POSITIONAL_OR_KEYWORD,
    VAR_KEYWORD,
    VAR_POSITIONAL,
    Argument,
    Kind,
    assemble,
)
from trainwright.registry.tables import POSITIONAL

PACKAGES: dict[str, Path] = {"trainwright": Path(__file__).parents[1]}
"""Packages whose components are read instead of imported, and their directories."""

IMPORTABLE = frozenset(
    {"typing", "collections.abc", "annotated_types", "math", "pathlib", "trainwright.fields"}
)
BUILTINS: Mapping[str, Any] = MappingProxyType(
    {item.__name__: item for item in (bool, int, float, str, list, dict, tuple, set, object)}
    | {"frozenset": frozenset, "type": type, "bytes": bytes}
)


class Unreadable(Exception):
    """A built-in component is not written in the way that lets it be read. A defect of ours."""


class ModuleSource(Mapping[str, Any]):
    """A module's source as a lazy namespace: a name is evaluated when it is asked for."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.path = source_path(module)
        tree = ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        self.statements: dict[str, ast.stmt] = {}
        for statement in tree.body:
            for name in _bound_names(statement):
                self.statements[name] = statement

    def __iter__(self) -> Iterator[str]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self.statements)

    def __getitem__(self, name: str) -> Any:
        """The value of a module-level name, for annotations and defaults."""
        statement = self.statements.get(name)
        if statement is None:
            return BUILTINS[name]
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            return self.evaluate(statement.value)
        if isinstance(statement, ast.Import):
            return _importable(next(a.name for a in statement.names if (a.asname or a.name) == name))
        if isinstance(statement, ast.ImportFrom):
            return self._imported(statement, name)
        raise Unreadable(f"{self.path}:{statement.lineno}: `{name}` cannot be used in a signature")

    def _imported(self, statement: ast.ImportFrom, name: str) -> Any:
        module, original = _origin(statement, name)
        if module in IMPORTABLE:
            return getattr(_importable(module), original)
        if is_ours(module):
            return read_module(module)[original]
        raise Unreadable(f"{self.path}:{statement.lineno}: `{name}` would need an import of {module}")

    def evaluate(self, expression: ast.expr) -> Any:
        """The value of an annotation or a default."""
        try:
            code = compile(ast.Expression(expression), str(self.path), "eval")
            return eval(code, {"__builtins__": {}}, self)
        except (NameError, KeyError) as error:
            text = ast.unparse(expression)
            raise Unreadable(f"{self.path}:{expression.lineno}: cannot read `{text}`") from error

    def find(self, name: str) -> tuple[ModuleSource, ast.FunctionDef | ast.ClassDef]:
        """The function or class of that name, followed through imports within this package."""
        statement = self.statements.get(name)
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            return self, statement
        if isinstance(statement, ast.ImportFrom):
            module, original = _origin(statement, name)
            if is_ours(module):
                return read_module(module).find(original)
        raise Unreadable(f"{self.path}: there is no function or class `{name}`")

    def constant(self, name: str) -> Any:
        """A module-level literal, or an empty dict."""
        return self[name] if name in self.statements else {}


def _bound_names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
    return []


def _origin(statement: ast.ImportFrom, name: str) -> tuple[str, str]:
    original = next(alias.name for alias in statement.names if (alias.asname or alias.name) == name)
    return statement.module or "", original


def _importable(module: str) -> Any:
    if module not in IMPORTABLE:
        raise Unreadable(f"{module} is not imported to read a signature")
    return importlib.import_module(module)


def is_ours(module: str) -> bool:
    """Whether a module's source is read instead of importing it."""
    return module.split(".")[0] in PACKAGES


def source_path(module: str) -> Path:
    """The file of one of our own modules."""
    package, *rest = module.split(".")
    base = PACKAGES[package].joinpath(*rest)
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@lru_cache(maxsize=256)
def read_module(module: str) -> ModuleSource:
    """The parsed source of one of our own modules. Raises FileNotFoundError."""
    return ModuleSource(module)


def describe_source(kind: str, name: str, target: str) -> ComponentInfo:
    """Describes a built-in component.

    Raises:
        Unreadable: Its signature uses names that would need an import.
        FileNotFoundError: Its module does not exist.
    """
    module, _, attribute = target.partition(":")
    home, node = read_module(module).find(attribute)
    doc = ast.get_docstring(node, clean=True) or ""
    if isinstance(node, ast.ClassDef):
        owner = _constructor(home, node)
        arguments = list(_arguments(*owner, kind, method=True)) if owner else []
        doc += "\n\n" + (ast.get_docstring(owner[1]) or "") if owner else ""
    else:
        arguments = list(_arguments(home, node, kind, method=False))
    constants = {key: home.constant(key) for key in ("DEAD_WHEN", "VERSION", "TARGETS")}
    return assemble(kind, name, target, arguments, doc, constants, str(home.path))


def _constructor(home: ModuleSource, node: ast.ClassDef) -> tuple[ModuleSource, ast.FunctionDef] | None:
    """The `__init__` that a class has or inherits from a class of this package."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return home, item
    if any("dataclass" in ast.unparse(item) for item in node.decorator_list):
        raise Unreadable(f"{home.path}:{node.lineno}: write `__init__` out instead of using dataclass")
    for base in node.bases:
        base = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(base, ast.Name) and _base_is_ours(home, base.id):
            owner, parent = home.find(base.id)
            found = _constructor(owner, parent) if isinstance(parent, ast.ClassDef) else None
            if found:
                return found
    return None


def _base_is_ours(home: ModuleSource, name: str) -> bool:
    statement = home.statements.get(name)
    if isinstance(statement, ast.ImportFrom):
        return is_ours(statement.module or "")
    return isinstance(statement, ast.ClassDef)


def _arguments(home: ModuleSource, node: ast.FunctionDef, kind: str, *, method: bool) -> Iterator[Argument]:
    spec = node.args
    plain: list[tuple[ast.arg, Kind]] = [(a, POSITIONAL_ONLY) for a in spec.posonlyargs]
    plain += [(a, POSITIONAL_OR_KEYWORD) for a in spec.args]
    missing: list[ast.expr | None] = [None] * (len(plain) - len(spec.defaults))
    rows: list[tuple[ast.arg, Kind, ast.expr | None]]
    rows = [(a, how, d) for (a, how), d in zip(plain, [*missing, *spec.defaults], strict=True)]
    rows = rows[1:] if method else rows
    if spec.vararg:
        rows.append((spec.vararg, VAR_POSITIONAL, None))
    rows += [(a, KEYWORD_ONLY, d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    if spec.kwarg:
        rows.append((spec.kwarg, VAR_KEYWORD, None))
    for argument, how, default in rows:
        # What the tool fills may be annotated with tensors and modules: it is not evaluated.
        filled = how is not KEYWORD_ONLY and argument.arg in POSITIONAL[kind]
        yield _read(home, argument, how, default, filled or how in (VAR_POSITIONAL, VAR_KEYWORD))


def _read(home: ModuleSource, argument: ast.arg, how: Kind, default: ast.expr | None, skip: bool) -> Argument:
    written = argument.annotation
    text = ast.unparse(written) if written else ""
    if skip:
        return Argument(argument.arg, how, UNANNOTATED, REQUIRED if default is None else None, text)
    if written is None:
        raise Unreadable(f"{home.path}:{argument.lineno}: `{argument.arg}` has no annotation")
    value = REQUIRED if default is None else home.evaluate(default)
    return Argument(argument.arg, how, home.evaluate(written), value, text)
