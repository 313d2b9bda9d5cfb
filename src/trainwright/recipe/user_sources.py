"""Digests of a user's own code: another text, another result."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from trainwright import registry
from trainwright.recipe.components import used_components
from trainwright.recipe.schema import Recipe

_INSTALLED = frozenset(["site-packages", "dist-packages"])


def user_source_digests(recipe: Recipe) -> dict[str, str]:
    """Module -> digest of its source and of the user's modules that it imports, by static reading.

    Installed packages that it imports are not followed: `run.json` records their versions.
    """
    return {name: module_digest(name) for name in _user_modules(recipe)}


def user_roots(recipe: Recipe) -> list[str]:
    """Folders from which the user's modules are imported, those of installed packages apart; sorted."""
    found = set()
    for module in _user_modules(recipe):
        file = getattr(registry.import_user_module(module), "__file__", None)
        if file is not None:
            root = _root(Path(file).absolute(), module)
            if not _INSTALLED.intersection(root.parts):
                found.add(str(root))
    return sorted(found)


def _user_modules(recipe: Recipe) -> list[str]:
    modules = {item.info.target.partition(":")[0] for item in used_components(recipe) if item.info.user_code}
    return sorted({*modules, *recipe.plugins})


def _root(file: Path, module: str) -> Path:
    """The folder on the import path in which a module, or the package it is in, lies."""
    return file.parents[module.count(".") + (1 if file.name == "__init__.py" else 0)]


def module_digest(module: str) -> str:
    """SHA-256 over the sources that a module consists of, sorted by their place."""
    file = getattr(registry.import_user_module(module), "__file__", None)
    if file is None or not file.endswith(".py"):
        return ""
    path = Path(file)
    root = _root(path, module)
    digest = hashlib.sha256()
    for source in sorted(_closure(path, root, module.partition(".")[0])):
        digest.update(str(source.relative_to(root).as_posix()).encode() + b"\0")
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _closure(start: Path, root: Path, top: str) -> set[Path]:
    """The file and, transitively, what it imports from the same place."""
    installed = bool(_INSTALLED.intersection(root.parts))
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in seen or (installed and path.relative_to(root).parts[0] not in (top, f"{top}.py")):
            continue
        seen.add(path)
        waiting += _imports(path, root)
    return seen


def _imports(path: Path, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return  # a file that is never really imported; its own bytes are in the digest
    package = path.parent.relative_to(root).parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(root, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            above = list(package[: len(package) - node.level + 1]) if node.level else []
            base = [*above, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                yield from _files(root, [*base, alias.name])


def _files(root: Path, parts: list[str]) -> Iterator[Path]:
    """Modules on the way to a dotted name, as far as they are files below `root`."""
    for end in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:end])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                yield path
