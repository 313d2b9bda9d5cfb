"""A pipeline's file: read and checked as far as that needs neither data nor outputs of stages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright import registry
from trainwright.errors import RecipeError, TrainwrightError, closest, raise_all
from trainwright.recipe.nodes import KeyPath, Node, leaves
from trainwright.recipe.places import find_place
from trainwright.recipe.validating import locate
from trainwright.recipe.yaml12 import parse_open, refuse_unset
from trainwright.registry.problems import Problem, unknown_key
from trainwright.workflows.pipeline.graph import find_cycle, in_order
from trainwright.workflows.pipeline.references import misspelt_in, references
from trainwright.workflows.pipeline.values import marked_values

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_STAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KEYS = ("name", "description", "code", "stages")
_NO_RUN = ("check_data", "convert", "evaluate", "predict", "report", "tune", "command")
"""Stages whose output is a folder of files and no run."""


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline.

    Attributes:
        name: In the pipeline.
        info: What is known of its component.
        spec: `name` of the component and every parameter, as plain data, with references as they stand.
        uses: Stages whose output it names, in order.
        after: Stages that it waits for, `uses` included.
    """

    name: str
    info: registry.ComponentInfo
    spec: dict[str, Any]
    uses: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def path(self) -> KeyPath:
        """Its key path in the file."""
        return ("stages", self.name)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline as its file says it.

    Attributes:
        name: Of the folder that its outputs are kept in.
        folder: Of the file; relative places are looked for here too.
        source: Name of the file, for errors.
        stages: By name, each after those that it waits for.
        tree: What the file says, with lines.
        notices: What could not be checked.
    """

    name: str
    folder: Path
    source: str
    stages: dict[str, Stage]
    tree: Node
    notices: list[str] = field(default_factory=list)

    def problem(self, path: KeyPath, what: str, *, why: str = "", fix: str = "") -> RecipeError:
        """An error at a key path of the file."""
        return locate(Problem(path, what, why, fix), self.tree)


def read_pipeline(file: str | Path) -> Pipeline:
    """Reads a pipeline's file and checks its stages, their parameters and how they depend on each other.

    Raises:
        RecipeError: One problem. ErrorList: all that could be found.
    """
    path = Path(file).expanduser()
    tree = parse_open(_text(path), path.name if path.is_absolute() else str(path))
    refuse_unset(tree)
    folder = path.parent.absolute()
    problems = list(_outline(tree))
    raise_all(_located(problems, tree))
    code = [item.value for item in _items(tree.child("code"))]
    registry.search_in([Path(place) for text in code if (place := find_place(text, folder))], folder)
    notices: list[str] = []
    stages = {}
    names = list(tree.value["stages"].value)
    for name, node in tree.value["stages"].value.items():
        stage, found = _stage(name, node, names, notices)
        problems += found
        if stage is not None:
            stages[name] = stage
    raise_all(_located(problems, tree))
    after = {name: stage.after for name, stage in stages.items()}
    cycle = find_cycle(after)
    if cycle:
        words = " -> ".join([*cycle, cycle[0]])
        what = f"the stages wait for each other: {words}"
        raise locate(Problem(("stages", cycle[0]), what, fix="remove one of the references"), tree)
    ordered = {name: stages[name] for name in in_order(after)}
    problems = [problem for stage in ordered.values() for problem in _no_runs(stage, ordered)]
    raise_all(_located(problems, tree))
    return Pipeline(str(tree.value["name"].value), folder, str(tree.origin.source), ordered, tree, notices)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError("not UTF-8 text", where=str(path), why=str(error)) from error
    except OSError as error:
        near = [item.name for item in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        guess = closest(path.name, near)
        fix = f"did you mean {path.parent / guess}?" if guess else ""
        raise RecipeError(f"cannot be read: {error.strerror}", where=str(path), fix=fix) from error


def _located(problems: list[Problem], tree: Node) -> list[TrainwrightError]:
    problems.sort(key=lambda problem: tree.nearest(problem.path).origin.line or 0)
    return [locate(problem, tree) for problem in problems]


def _items(node: Node | None) -> list[Node]:
    return node.value if node is not None and isinstance(node.value, list) else []


def _outline(tree: Node) -> Iterator[Problem]:
    """What is wrong with the file's own keys."""
    if not isinstance(tree.value, dict):
        fix = "begin with `name: NAME`, and below it `stages:`"
        yield Problem((), "a pipeline is a mapping with the keys name and stages", fix=fix)
        return
    for key in tree.value:
        if key not in _KEYS:
            yield unknown_key((key,), _KEYS)
    name = tree.child("name")
    if name is None:
        yield Problem(("name",), "`name` is missing", fix="name the pipeline: its outputs are kept under it")
    elif not isinstance(name.value, str) or not _NAME.fullmatch(name.value):
        yield Problem(("name",), "a name has letters, digits and _ . - and begins with a letter or digit")
    code = tree.child("code")
    if code is not None and not all(isinstance(item.value, str) for item in _items(code)):
        yield Problem(("code",), "expected a list of folders")
    stages = tree.child("stages")
    if stages is None or not isinstance(stages.value, dict) or not stages.value:
        fix = "stages: {train: {name: train, recipe: digits}}"
        yield Problem(("stages",), "a pipeline needs stages, a mapping from name to component", fix=fix)
        return
    for key in stages.value:
        if not _STAGE_NAME.fullmatch(key):
            what = f"{key!r} is no name of a stage"
            yield Problem(("stages", key), what, fix="use letters, digits, _ and -")


def _stage(name: str, node: Node, names: list[str], notices: list[str]) -> tuple[Stage | None, list[Problem]]:
    """A stage, and what is wrong with it."""
    given = node.plain()
    problems: list[Problem] = []
    needs: list[str] = []
    if isinstance(given, dict) and "needs" in given:
        needs, found = _needs(given.pop("needs"), name, names)
        problems += [problem.under("stages", name) for problem in found]
    checked = registry.check("stage", given)
    notices += [f"stages.{name}: {notice}" for notice in checked.notices]
    problems += [problem.under("stages", name) for problem in [*checked.problems, *_bad(given, name, names)]]
    if problems:
        return None, problems
    uses = tuple(dict.fromkeys(other for _, other in references(checked.spec)))
    info = registry.describe("stage", checked.spec["name"])
    return Stage(name, info, checked.spec, uses, tuple(dict.fromkeys([*uses, *needs]))), []


def _needs(value: Any, name: str, names: list[str]) -> tuple[list[str], list[Problem]]:
    items = value if isinstance(value, list) else [value]
    problems = []
    for index, item in enumerate(items):
        path: KeyPath = ("needs", index) if isinstance(value, list) else ("needs",)
        if not isinstance(item, str) or item not in names or item == name:
            problems.append(_no_stage(path, str(item), name, names))
    return items, problems


def _bad(given: Any, name: str, names: list[str]) -> Iterator[Problem]:
    """References to what is no stage, or to the stage itself."""
    for path, leaf in leaves(given):
        wrong = misspelt_in(leaf) if isinstance(leaf, str) else None
        if wrong is not None:
            yield Problem(path, f"{wrong} is no reference to a stage", fix="write ${stages.NAME}")
    for path, other in references(given):
        if other not in names or other == name:
            yield _no_stage(path, other, name, names)


def _no_stage(path: KeyPath, other: str, name: str, names: list[str]) -> Problem:
    if other == name:
        return Problem(path, f"the stage `{name}` refers to itself")
    guess = closest(other, [item for item in names if item != name])
    fix = f"did you mean `{guess}`?" if guess else f"stages: {', '.join(names)}"
    return Problem(path, f"there is no stage `{other}`", fix=fix)


def _no_runs(stage: Stage, stages: Mapping[str, Stage]) -> Iterator[Problem]:
    """Where a run is wanted and another stage's output is none."""
    for value in marked_values(stage):
        for _, other in references(value.value) if value.is_run else ():
            if stages[other].info.name in _NO_RUN and value.value == f"${{stages.{other}}}":
                what = f"the output of `{other}` is no run"
                makers = [name for name, item in stages.items() if item.info.name not in _NO_RUN]
                fix = f"stages that make one: {', '.join(makers) or 'none'}"
                yield Problem((*stage.path, *value.path), what, fix=fix)
