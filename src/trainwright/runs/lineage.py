"""Where runs come from: what a continued run keeps of its parent, its ancestors and its descendants."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from trainwright.errors import RunError
from trainwright.runs.difference import Change
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import all_runs, is_archived
from trainwright.runs.record import RunRecord

Checkpoint = Literal["last", "best"]


@dataclass(frozen=True)
class Origin:
    """From where a run goes on; kept in its record as its parent.

    Attributes:
        run: Id of the parent.
        path: Its directory, as it was.
        step: The parent's step that the run goes on from.
        checkpoint: Weights that the run begins with.
        optimizer: Whether the optimizer's state goes on (`kept`) or begins anew (`reset`).
        same_batches: Whether an epoch has the same batches as in the parent.
        changes: Recipe values that differ, the parent's on the left.
        digest: Of the parent's checkpoint; part of the run's salt.
        rate: What the recipe's learning rates are multiplied by: what roll-backs of the parent left of them.
    """

    run: str
    path: str
    step: int
    checkpoint: Checkpoint = "last"
    optimizer: Literal["kept", "reset"] = "kept"
    same_batches: bool = True
    changes: tuple[Change, ...] = ()
    digest: str = ""
    rate: float = 1.0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def origin_of(record: RunRecord) -> Origin | None:
    """The parent of a continued run, None for a run that began by itself."""
    for parent in record.parents:
        if "run" in parent:
            known = {item.name: parent[item.name] for item in fields(Origin) if item.name in parent}
            return Origin(**{**known, "changes": tuple(Change(**item) for item in known.get("changes", ()))})
    return None


def parent_of(run: RunDirectory) -> RunDirectory | None:
    """The run that a run goes on from: beside it, or where it was. None where it has none.

    Raises:
        RunError: The run has a parent, which is gone.
    """
    origin = origin_of(run.record())
    if origin is None:
        return None
    for place in (run.path.absolute().parent / origin.run, Path(origin.path)):
        if (place / "run.json").is_file():
            return RunDirectory(place)
    if is_archived(origin.run, run.path.absolute().parent):
        raise RunError(
            f"the run goes on from {origin.run}, which is archived",
            where=str(run.path),
            fix=f"`trainwright runs restore {origin.run}` brings it back",
        )
    raise RunError(
        f"the run goes on from {origin.run}, which is gone",
        where=str(run.path),
        why=f"it is neither beside this run nor at {origin.path}",
        fix="bring the directory of the parent back",
    )


def ancestors(run: RunDirectory) -> list[RunDirectory]:
    """The chain of runs that ends with `run`, the first one first. Raises RunError where one is gone."""
    chain, seen = [run], {run.path.resolve()}
    while (parent := parent_of(chain[0])) is not None:
        if parent.path.resolve() in seen:
            raise RunError("the run goes on from itself", where=str(parent.path), why="run.json was edited")
        seen.add(parent.path.resolve())
        chain.insert(0, parent)
    return chain


@dataclass(frozen=True)
class Branch:
    """A run within its lineage.

    Attributes:
        run: The run.
        depth: Generations from the first run.
        origin: From where it goes on, None for the first run.
        created: Seconds since the epoch.
    """

    run: RunDirectory
    depth: int
    origin: Origin | None
    created: float


def lineage(run: RunDirectory, runs_dir: str | os.PathLike[str]) -> list[Branch]:
    """All runs that have an ancestor in common with `run`, every parent before its children, then by time.

    Args:
        run: Any of them.
        runs_dir: Where descendants are looked for, beside the directory that holds `run`.

    Raises:
        RunError: An ancestor of the run is gone.
    """
    first = ancestors(run)[0]
    places = dict.fromkeys([Path(runs_dir).resolve(), run.path.resolve().parent])
    children: dict[str, list[Branch]] = {}
    for other in _readable(item for place in places for item in all_runs(place)):
        record = other.record()
        origin = origin_of(record)
        if origin is not None:
            children.setdefault(origin.run, []).append(Branch(other, 0, origin, record.created))
    found: list[Branch] = []
    _collect(Branch(first, 0, None, first.record().created), children, found)
    return found


def _collect(branch: Branch, children: dict[str, list[Branch]], found: list[Branch]) -> None:
    found.append(branch)
    for child in sorted(children.get(branch.run.id, ()), key=lambda item: item.created):
        if all(child.run.path.resolve() != known.run.path.resolve() for known in found):
            _collect(Branch(child.run, branch.depth + 1, child.origin, child.created), children, found)


def _readable(runs: Iterable[RunDirectory]) -> Iterable[RunDirectory]:
    for run in runs:
        try:
            run.record()
        except RunError:
            continue  # a damaged run beside these is no reason not to show them
        yield run
