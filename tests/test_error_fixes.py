"""Every error that `check` can give says what to do: read from the source, where each is raised."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import trainwright

ROOT = Path(trainwright.__file__).parent
PACKAGES = ("data", "engine", "losses", "metrics", "models", "recipe", "registry", "tasks")
WORKFLOWS = (
    "checking",
    "gate",
    "impossible_batch",
    "network_check",
    "run_execution",
    "trainable",
    "training",
)
ERRORS = {"RecipeError", "DataError", "ModelError", "UserError", "OutputMisfit"}
_PROBLEM_FIX = 4  # place of `fix` among the arguments of a Problem


def files() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return found + [ROOT / "workflows" / f"{name}.py" for name in WORKFLOWS]


def without_fix(path: Path) -> list[str]:
    """`line: call` of every error of a file that is made without a word of advice."""
    found = []
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        name = call.func.id
        named = any(keyword.arg == "fix" for keyword in call.keywords)
        placed = name == "Problem" and len(call.args) >= _PROBLEM_FIX
        if name in {*ERRORS, "Problem"} and not (named or placed):
            found.append(f"{call.lineno}: {ast.unparse(call)[:80]}")
    return found


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_error_has_a_fix(path: Path):
    assert without_fix(path) == []


def test_an_error_without_a_fix_would_be_found(tmp_path: Path):
    (tmp_path / "a.py").write_text("raise DataError('x', where='y')\nraise DataError('x', fix='z')\n")
    assert [text.partition(":")[0] for text in without_fix(tmp_path / "a.py")] == ["1"]
