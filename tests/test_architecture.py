"""Imports go downwards only: the floors of the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "trainwright"

# From the ground up; a module may import from its own floor's part and from lower floors only.
FLOORS: list[set[str]] = [
    {
        "allocator",
        "console",
        "errors",
        "fields",
        "locations",
        "log",
        "machine",
        "progress",
        "registry",
        "wording",
    },
    {"recipe"},
    {"runs"},
    {"data"},
    {"losses", "metrics"},
    {"models"},
    {"tasks"},
    {"engine"},
    {"inference"},
    {"tune", "compress", "export", "serve", "explain", "report"},
    {"workflows"},
    {"fleet"},
    {"cli"},
]
FLOOR = {part: number for number, parts in enumerate(FLOORS) for part in parts}
FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")

# The registry names components as text and so reaches upwards without importing.
TORCH_FREE = FLOORS[0] | {"recipe", "runs"}
HEAVY = {"torch", "torchvision", "timm", "pandas", "matplotlib", "sklearn"}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path, *, at_import_only: bool) -> list[tuple[int, str]]:
    """Line and dotted name of every import; those under TYPE_CHECKING never run."""
    found: list[tuple[int, str]] = []

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if at_import_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(child, ast.Import):
                found.extend((child.lineno, name.name) for name in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                found.extend((child.lineno, f"{child.module}.{name.name}") for name in child.names)
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_downwards(path: Path) -> None:
    here = part_of(path)
    assert here in FLOOR, f"{here} has no floor"
    for line, name in imported(path, at_import_only=False):
        parts = name.split(".")
        if parts[0] != "trainwright" or len(parts) < 2 or parts[1] not in FLOOR or parts[1] == here:
            continue
        below = FLOOR[parts[1]] < FLOOR[here]
        # The ground floor is one room: ranges of parameters and the registry need one another.
        assert below or FLOOR[here] == FLOOR[parts[1]] == 0, (
            f"{path}:{line} imports {name} from above or beside"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_light_floors_import_nothing_heavy(path: Path) -> None:
    here = part_of(path)
    relative = path.relative_to(SOURCE)
    on_tensors = "augment" in relative.parts or path.stem in ("loader", "batch", "stream_store")
    data_light = here == "data" and not on_tensors
    if here not in TORCH_FREE and not data_light and here != "cli":
        pytest.skip("this floor may import torch")
    for line, name in imported(path, at_import_only=True):
        assert name.split(".")[0] not in HEAVY, f"{path}:{line} imports {name}"


def test_files_stay_readable() -> None:
    long = {str(p.relative_to(SOURCE)): p.read_text().count("\n") for p in FILES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}
