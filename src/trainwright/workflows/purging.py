"""What would miss a run if it were deleted: runs that go on from it, studies, pipelines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainwright.errors import RunError
from trainwright.runs.archive import archived_runs
from trainwright.runs.listing import all_runs
from trainwright.tune.store import Store
from trainwright.workflows.studies import SUFFIX


def needed_by(
    ids: Sequence[str], runs_dir: str | os.PathLike[str], pipelines_dir: str | os.PathLike[str]
) -> dict[str, list[str]]:
    """Why runs are still needed, in words, by id; those that nothing needs are left out.

    A run that is to be deleted too needs nothing.

    Args:
        ids: Runs that are to be deleted.
        runs_dir: Where they are, beside the studies.
        pipelines_dir: Where pipelines are kept.
    """
    found: dict[str, list[str]] = {}
    for id, reason in (*_children(set(ids), runs_dir), *_trials(runs_dir), *_stages(pipelines_dir)):
        if id in ids and reason not in found.setdefault(id, []):
            found[id].append(reason)
    return {id: found[id] for id in ids if found.get(id)}


def _children(leaving: set[str], runs_dir: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    for run in all_runs(runs_dir):
        if run.id not in leaving:
            try:
                parents = run.record().parents
            except RunError:
                continue  # `runs list` tells of damage; what it needs cannot be known
            yield from _named(parents, run.id)
    for archived in archived_runs(runs_dir):
        if archived.id not in leaving:
            yield from _named(archived.parents, f"{archived.id} (archived)")


def _named(parents: Iterable[Mapping[str, Any]], child: str) -> Iterator[tuple[str, str]]:
    for parent in parents:
        if "run" in parent:
            yield str(parent["run"]), f"{child} goes on from it"
        if "member" in parent:
            yield str(parent["member"]), f"{child} is combined from it"


def _trials(runs_dir: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    for file in sorted(Path(runs_dir).glob(f"*{SUFFIX}")):
        store = Store(str(file))
        try:
            for trial in store.trials():
                for path in (trial.run, *trial.details.get("runs", ())):
                    yield Path(str(path)).name, f"trial {trial.number} of the study {file.stem}"
        finally:
            store.close()


def _stages(pipelines_dir: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    for manifest in sorted(Path(pipelines_dir).glob("*/*/manifest.json")):
        try:
            run = json.loads(manifest.read_bytes()).get("run")
        except (OSError, ValueError, AttributeError):
            continue  # a damaged manifest does not count: its stage is made anew
        if run:
            yield (
                Path(str(run)).name,
                f"the output of stage {manifest.parent.parent.name}/{manifest.parent.name}",
            )
