"""Finding runs by name, salt, path or glob, and one table row for each."""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainwright.errors import RunError, closest
from trainwright.runs.convergence import KIND, convergence
from trainwright.runs.difference import final_metrics
from trainwright.runs.directory import RunDirectory
from trainwright.runs.heartbeat import read_heartbeat
from trainwright.runs.labels import read_labels

_ID = re.compile(r"(?P<name>.+)-(?P<salt>[0-9a-f]{10})(?:-(?P<number>\d+))?")
DAMAGED = "damaged"
ARCHIVE = "archive"  # a folder beside the runs, see `trainwright.runs.archive`
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class RunRow:
    """What a table of runs shows of one.

    Attributes:
        id: Directory name.
        path: Directory.
        state: True state: `running` only while a process holds the run; `damaged` where it cannot be read.
        reason: Why it ended, or who works on it.
        step: Optimizer steps done.
        epoch: Epochs done.
        total_steps: Steps planned, None where a budget in minutes leaves it open.
        created: Seconds since the epoch.
        seconds: Working time over all attempts that ended or live.
        metrics: Final metrics, `<split>/<name>`, and how soon it converged, `run/<name>`.
        tags: What people call it, by comma.
        note: What people say of it.
    """

    id: str
    path: str
    state: str
    reason: str
    step: int | None
    epoch: float | None
    total_steps: int | None
    created: float
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    tags: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row as plain values."""
        return asdict(self)


def all_runs(runs_dir: str | os.PathLike[str]) -> list[RunDirectory]:
    """Every run directly inside `runs_dir`, oldest first; a missing directory has none."""
    base = Path(runs_dir)
    if not base.is_dir():
        return []
    found = [path for path in base.iterdir() if (path / "run.json").is_file()]
    return [RunDirectory(path) for path in sorted(found, key=age_key)]


def find_runs(
    patterns: Sequence[str | os.PathLike[str]], runs_dir: str | os.PathLike[str]
) -> list[RunDirectory]:
    """Runs by path, glob, id, name or salt (four digits or more), each once, oldest first per pattern.

    Args:
        patterns: What the user wrote; all runs of `runs_dir` when empty.
        runs_dir: Where runs are looked for that are not given as a path.

    Raises:
        RunError: A pattern matches nothing.
    """
    if not patterns:
        return all_runs(runs_dir)
    found: dict[Path, RunDirectory] = {}
    for pattern in patterns:
        matches = _matches(os.fspath(pattern), runs_dir)
        if not matches:
            raise _nothing(os.fspath(pattern), runs_dir)
        found.update({run.path.resolve(): run for run in matches})
    return list(found.values())


def chosen_runs(
    patterns: Sequence[str | os.PathLike[str]], runs_dir: str | os.PathLike[str]
) -> list[RunDirectory]:
    """Runs to work on: a glob means all that match it, anything else exactly one.

    Raises:
        RunError: A pattern matches nothing, or one that is no glob matches several.
    """
    found: dict[Path, RunDirectory] = {}
    for pattern in patterns:
        is_glob = _MAGIC.search(os.fspath(pattern)) is not None
        runs = find_runs([pattern], runs_dir) if is_glob else [find_run(pattern, runs_dir)]
        found.update({run.path.resolve(): run for run in runs})
    return list(found.values())


def find_run(pattern: str | os.PathLike[str], runs_dir: str | os.PathLike[str]) -> RunDirectory:
    """The one run that `pattern` means. Raises RunError where it means none or several."""
    runs = find_runs([pattern], runs_dir)
    if len(runs) > 1:
        raise RunError(
            f"{os.fspath(pattern)} means {len(runs)} runs",
            why="\n       ".join(f"{run.id}  ({run.state()})" for run in reversed(runs)),
            fix="give the id or the salt of one; where several can be worked on, a glob means all",
        )
    return runs[0]


def rows(runs: Iterable[RunDirectory]) -> list[RunRow]:
    """One row per run. A run whose files are damaged is shown as such, for the others to be shown too."""
    found = []
    for run in runs:
        try:
            found.append(row(run))
        except RunError as error:
            found.append(RunRow(run.id, str(run.path), DAMAGED, str(error), None, None, None, 0.0, 0.0))
    return found


def row(run: RunDirectory) -> RunRow:
    """One row of the table. Raises RunError where the run's record is damaged."""
    record = run.record()
    state = run.state(record)
    owner = run.owner()
    labels = read_labels(run)
    beat = read_heartbeat(run.heartbeat)
    progress = {**record.progress}
    if owner or not record.finished:
        # A killed run wrote no last record; its heartbeat knows better how far it came.
        progress.update({key: beat[key] for key in ("step", "epoch", "total_steps") if key in beat})
        # The last beat of a short life came before the last checkpoint.
        progress["step"] = max((progress.get("step"), run.newest_checkpoint()), key=lambda step: step or 0)
    reason = record.exit_reason
    if state == "running" and owner and owner.pid:  # one that is done may still be held by who wrote its end
        reason = f"process {owner.pid} on {owner.host}"
    if state == "interrupted" and not reason:
        reason = "the process was killed"
    return RunRow(
        id=run.id,
        path=str(run.path),
        state=str(state),
        reason=reason,
        step=progress.get("step"),
        epoch=progress.get("epoch"),
        total_steps=progress.get("total_steps"),
        created=record.created,
        seconds=_working_time(record.attempts, beat.get("time"), alive=owner is not None),
        metrics={**final_metrics(run), **convergence(run, record)},
        tags=",".join(labels.tags),
        note=labels.note,
    )


def headline(metrics: Mapping[str, float]) -> dict[str, float]:
    """The three metrics to show first: of test before validation before training, losses last."""
    order = {"test": 0, "val": 1, KIND: 3}
    names = sorted(metrics, key=lambda name: (order.get(name.partition("/")[0], 2), "loss" in name))
    return {name: metrics[name] for name in names[:3]}


def split_id(run_id: str) -> tuple[str, str, int]:
    """Name, salt and repeat number of a run id; salt empty where the directory was renamed."""
    match = _ID.fullmatch(run_id)
    if not match:
        return run_id, "", 1
    return match["name"], match["salt"], int(match["number"] or 1)


def _matches(pattern: str, runs_dir: str | os.PathLike[str]) -> list[RunDirectory]:
    here = Path(pattern)
    if (here / "run.json").is_file():
        return [RunDirectory(here)]
    if _MAGIC.search(pattern):
        # Both readings of a glob: relative to where the user is, and inside the runs directory.
        # (Path.glob has no absolute patterns.)
        places = [*glob.glob(pattern), *glob.glob(str(Path(runs_dir) / pattern))]  # noqa: PTH207
        paths = dict.fromkeys(Path(place) for place in places)
        return [RunDirectory(path) for path in sorted(paths, key=age_key) if (path / "run.json").is_file()]
    runs = all_runs(runs_dir)
    exact = [run for run in runs if run.id == pattern]
    return exact or [run for run in runs if is_named(run.id, pattern)]


def is_named(run_id: str, pattern: str) -> bool:
    """Whether a word is a run's name, or begins its salt with at least four digits."""
    name, salt, _ = split_id(run_id)
    if pattern == name:
        return True
    return bool(salt) and re.fullmatch(r"[0-9a-f]{4,10}", pattern) is not None and salt.startswith(pattern)


def _nothing(pattern: str, runs_dir: str | os.PathLike[str]) -> RunError:
    ids = [run.id for run in all_runs(runs_dir)]
    near = closest(pattern, [*ids, *dict.fromkeys(split_id(item)[0] for item in ids)])
    if archived := _archived(pattern, runs_dir):
        return RunError(
            f"{archived} is archived",
            where=os.fspath(runs_dir),
            fix=f"`trainwright runs restore {archived}` brings it back",
        )
    if Path(pattern).exists():
        return RunError("this is not a run directory", where=pattern, why="it has no run.json")
    return RunError(
        f"no run matches {pattern!r}",
        where=os.fspath(runs_dir),
        why="" if ids else "the directory holds no runs",
        fix=f"did you mean {near}?" if near else "`trainwright runs list` shows all of them",
    )


def _archived(pattern: str, runs_dir: str | os.PathLike[str]) -> str:
    """Id of an archived run that a pattern may mean, empty where there is none."""
    ids = sorted(path.stem for path in Path(runs_dir, ARCHIVE).glob("*.json"))
    return next((id for id in ids if id == pattern or is_named(id, pattern)), "")


def is_archived(run_id: str, runs_dir: str | os.PathLike[str]) -> bool:
    """Whether there is an archived run of this id."""
    return Path(runs_dir, ARCHIVE, f"{run_id}.json").is_file()


def age_key(path: Path) -> tuple[float, str]:
    """What runs are ordered by: when they were made, then their names."""
    try:
        return (path / "recipe.yaml").stat().st_mtime, path.name  # written once, at creation
    except OSError:
        return 0.0, path.name


def _working_time(attempts: Iterable[Any], last_beat: float | None, *, alive: bool) -> float:
    total, attempts = 0.0, list(attempts)
    for attempt in attempts:
        end = attempt.ended
        if end is None and attempt is attempts[-1]:
            end = time.time() if alive else last_beat
        total += max(0.0, (end or attempt.started) - attempt.started)
    return total
