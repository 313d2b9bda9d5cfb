"""What happens when a recipe is run again: done, interrupted, failed, alive, or new."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from trainwright.errors import RunError
from trainwright.recipe.places import PLACES
from trainwright.recipe.salt import NOT_PART
from trainwright.recipe.writing import flow
from trainwright.runs.difference import Change, changes, resolved_values
from trainwright.runs.directory import RunDirectory, create_numbered
from trainwright.runs.listing import all_runs, is_archived, split_id
from trainwright.runs.record import RunRecord, RunState

# More differing values than this and two recipes are not "nearly the same" to a person.
_NEAR = 5


class Action(StrEnum):
    """What to do with the run that `decide` names."""

    START = "start"
    RESUME = "resume"
    DONE = "done"


@dataclass(frozen=True)
class Decision:
    """The answer to "run this recipe".

    Attributes:
        action: Start it, resume it, or only show it.
        run: The run; its lock is held by this process for START and RESUME.
        messages: Lines for the user, among them near-identical runs and what makes them different.
    """

    action: Action
    run: RunDirectory
    messages: tuple[str, ...] = ()


def without_lock(value: Any) -> Any:
    """What other processes are told: a decision without the lock and messages of the one that made it."""
    if isinstance(value, Decision):
        return Decision(value.action, RunDirectory(value.run.path))
    return value


def decide(
    runs_dir: str | os.PathLike[str],
    name: str,
    salt: str,
    *,
    resolved: Mapping[str, Any],
    digest: str = "",
    fingerprint: str = "",
    fresh: bool = False,
) -> Decision:
    """Finds what is there already and takes the lock of what has to be done.

    The lock and the decision are one act: of two processes that start the same recipe at once, one
    starts and the other is told who has it.

    Args:
        runs_dir: Where runs live; made when missing.
        name: The recipe's name.
        salt: Ten hex digits of what makes the result different.
        resolved: The resolved recipe, to name near-identical runs.
        digest: The whole digest behind the salt.
        fingerprint: Digest of the data, to tell of near-identical runs whether theirs were the same.
        fresh: Start a new run beside an existing one of the same salt.

    Raises:
        LockHeld: Another process works on this run.
        RunError: The run failed before, or is archived; or its salt is the same by accident.
        StorageError: The directory cannot be made.
    """
    run = RunDirectory(Path(runs_dir) / f"{name}-{salt}")
    archived = is_archived(run.id, runs_dir) and not run.record_file.exists()
    if fresh:
        run = create_numbered(run.path, 2 if archived else 1)
        run.acquire()
        return Decision(Action.START, run)
    if archived:
        raise RunError(
            "this run is archived",
            where=str(run.path),
            fix=f"`trainwright runs restore {run.id}` brings it back, --fresh starts a new run beside it",
        )
    if run.record_file.exists() and run.record().state is RunState.DONE:
        return _done(run, digest)  # needs no lock, and a report may be at work on it
    run.acquire()
    try:
        return _judge(run, resolved, digest, fingerprint)
    except BaseException:
        run.lock.release()
        raise


def near_runs(
    runs_dir: str | os.PathLike[str], name: str, resolved: Mapping[str, Any], fingerprint: str = ""
) -> list[str]:
    """Lines about earlier runs that almost are this one: unfinished first, then same-named ones.

    Args:
        runs_dir: Where runs live.
        name: The new run's name.
        resolved: Its resolved recipe.
        fingerprint: Digest of its data. Runs on other data with other columns have nothing to do with it.
    """
    unfinished: list[tuple[int, str]] = []
    same_name: list[tuple[int, str]] = []
    for run in all_runs(runs_dir):
        try:
            state = run.state()
            differing = _relevant(changes(resolved_values(run), resolved))
            other_data = (
                bool(fingerprint) and run.record().data.get("fingerprint", fingerprint) != fingerprint
            )
        except RunError:
            continue  # a damaged old run is no reason not to start a new one; `runs list` tells of it
        if len(differing) > _NEAR or (other_data and any(map(_is_column, differing))):
            continue
        if state is RunState.DONE and split_id(run.id)[0] != name:
            continue
        target = same_name if state is RunState.DONE else unfinished
        target.append((len(differing), _describe(run, state, differing, other_data)))
    chosen = sorted(unfinished)[:2] or sorted(same_name)[:1]
    return [line for _, line in chosen]


def _judge(run: RunDirectory, resolved: Mapping[str, Any], digest: str, fingerprint: str) -> Decision:
    if not run.record_file.exists():
        notes = near_runs(run.path.parent, split_id(run.id)[0], resolved, fingerprint)
        return Decision(Action.START, run, tuple(notes))
    record = run.record()
    _check_digest(run, record, digest)
    if record.state is RunState.DONE:  # it finished while this process waited for the lock
        run.lock.release()
        return _done(run, digest)
    if record.state is RunState.FAILED:
        going_on = (
            f"`trainwright resume {run.path} --from best` goes on from its best weights, "
            if run.best.exists()
            else "change what the reason names, "
        )
        raise RunError(
            f"this run failed: {record.exit_reason or 'no reason was written'}",
            where=str(run.path),
            why="the same recipe on the same data would most likely fail in the same way",
            fix=f"{going_on}--fresh starts a new run beside it",
        )
    step = record.progress.get("step")
    when = f" at step {step}" if step is not None else ""
    return Decision(Action.RESUME, run, (f"{run.path} was interrupted{when}: resuming it",))


def _done(run: RunDirectory, digest: str) -> Decision:
    _check_digest(run, run.record(), digest)
    lines = [f"{run.path} is done already; --fresh repeats it"]
    lines += [f"  {path}" for path in (run.report, run.best, run.results) if path.exists()]
    return Decision(Action.DONE, run, tuple(lines))


def _check_digest(run: RunDirectory, record: RunRecord, digest: str) -> None:
    if digest and record.digest and digest != record.digest:
        raise RunError(
            "another recipe or other data have the same salt by accident",
            where=str(run.path),
            why=f"digest {record.digest} there, {digest} here",
            fix="pass --fresh, or give the recipe another name",
        )


def _relevant(found: list[Change]) -> list[Change]:
    """Those that make the result another one: what the salt leaves out never explains a new run."""
    return [change for change in found if not _left_out(change.key.split("."))]


def _left_out(key: list[str]) -> bool:
    if key[:2] == ["data", "source"] and key[-1] in PLACES:
        return True
    return any(tuple(key[: len(path)]) == path for path in NOT_PART)


def _is_column(change: Change) -> bool:
    return change.key.startswith(("data.inputs.", "data.targets."))


def _describe(run: RunDirectory, state: RunState, differing: list[Change], other_data: bool) -> str:
    reasons = ["the data are others"] if other_data else []
    reasons += [f"{item.key} is {flow(item.left)} there and {flow(item.right)} here" for item in differing]
    what = ", ".join(reasons) or "the data, initial weights, user code or a component's version changed"
    return f"not the same run as {run.path} ({state}): {what}"
