"""From nodes to a valid `Recipe`, or to every problem at once, each with its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from trainwright import registry
from trainwright.errors import RecipeError, raise_all
from trainwright.recipe.nodes import GIVEN, OVERRIDE, Node, join_path, split_path
from trainwright.recipe.rules import check_rules
from trainwright.recipe.schema import Recipe
from trainwright.recipe.slots import advice, annotation_at, is_parameter_of_any, suggestion, typed_path
from trainwright.recipe.space_checks import check_tuning
from trainwright.registry.problems import Problem, problems_from

COMMAND_OPTIONS = frozenset(
    {
        "augmented",
        "count",
        "data",
        "data-only",
        "device",
        "file-log-level",
        "failed",
        "fresh",
        "from",
        "help",
        "html",
        "index",
        "jobs",
        "json",
        "keep",
        "kills",
        "limit",
        "log-level",
        "optuna",
        "output",
        "probe",
        "quiet",
        "reset-optimizer",
        "runs-dir",
        "seed",
        "split",
        "study",
        "tile",
        "time",
        "to",
        "trial",
        "trials",
        "wait",
    }
)
"""Options of the verbs that take overrides, which an alias of this name could never be reached behind."""


def validate(tree: Node) -> tuple[Recipe, list[str]]:
    """Checks a whole recipe.

    Returns:
        The recipe, and notices about what could not be checked.

    Raises:
        RecipeError: One problem. ErrorList: several.
    """
    if not isinstance(tree.value, dict):
        raise RecipeError(
            "a recipe is a mapping with keys such as name, data and model",
            where=str(tree.origin),
            fix="begin with `name: ...`; `trainwright recipes show digits` is an example",
        )
    raw: dict[str, Any] = tree.plain()
    _import_plugins(tree)
    notices: list[str] = []
    problems: list[Problem] = []
    try:
        recipe = Recipe.model_validate(raw, context={"notices": notices})
    except ValidationError as error:
        problems = [_with_suggestion(item, tree) for item in problems_from(error, Recipe, raw)]
    else:
        problems = check_rules(recipe) or check_tuning(recipe)
    problems += _bad_aliases(tree)
    problems.sort(key=lambda problem: tree.nearest(problem.path).origin.line or 0)
    raise_all([locate(problem, tree) for problem in problems])
    return recipe, list(dict.fromkeys(notices))


def _import_plugins(tree: Node) -> None:
    """Plugins may register names elsewhere, with timm for one, so they come before the check."""
    node = tree.child("plugins")
    for index, item in enumerate(node.value if node and isinstance(node.value, list) else []):
        if isinstance(item.value, str):
            try:
                registry.import_user_module(item.value)
            except RecipeError as error:
                problem = Problem(("plugins", index), error.what, error.why, error.fix)
                raise locate(problem, tree) from error


def _with_suggestion(problem: Problem, tree: Node) -> Problem:
    """A key that no sibling resembles may belong elsewhere in the recipe, or to another component."""
    if not problem.unknown_key:
        return problem
    return replace(problem, fix=advice(problem.path, tree) or problem.fix)


def _bad_aliases(tree: Node) -> list[Problem]:
    node = tree.child("aliases")
    items = node.value if node and isinstance(node.value, dict) else {}
    found = [
        _bad_alias(name, item.value, tree) for name, item in items.items() if isinstance(item.value, str)
    ]
    return [problem for problem in found if problem]


def _bad_alias(name: str, target: str, tree: Node) -> Problem | None:
    if name in COMMAND_OPTIONS or name in Recipe.read_before or _is_key(name, tree):
        kind = "an option of the command line" if name in COMMAND_OPTIONS else "a key of the recipe"
        return Problem(("aliases", name), f"`{name}` is {kind}", fix="give the alias another name")
    try:
        path = typed_path(split_path(target), tree)
    except RecipeError as error:
        return Problem(("aliases", name), error.what, fix=error.fix)
    # An alias outlives the choice of another component, which may lack its parameter.
    if annotation_at(path, tree) is not None or is_parameter_of_any(path, tree):
        return None
    guess = suggestion(path, tree)
    fix = f"did you mean `{guess}`?" if guess else ""
    return Problem(("aliases", name), f"there is no key `{target}`", fix=fix)


def _is_key(name: str, tree: Node) -> bool:
    try:
        return annotation_at(typed_path(split_path(name), tree), tree) is not None
    except RecipeError:
        return False


def locate(problem: Problem, tree: Node) -> RecipeError:
    """The problem as an error that says where in a file, or in which override, it stands."""
    origin = tree.nearest(problem.path).origin
    path = join_path(problem.path)
    if origin == OVERRIDE:
        where, what = f"override {path}", problem.what
    elif origin == GIVEN:
        where, what = path, problem.what
    else:
        where, what = str(origin), f"{path}: {problem.what}"
    return RecipeError(what, where=where, why=problem.why, fix=problem.fix)
