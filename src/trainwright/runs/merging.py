"""A chain of continued runs as one logical run: curves joined, the points of continuation marked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, write_text
from trainwright.runs.directory import RunDirectory
from trainwright.runs.lineage import ancestors, origin_of
from trainwright.runs.metrics import read_current
from trainwright.runs.record import Attempt, RunRecord

_LEFT_OUT = (
    "state",
    "origin",
    "lock",
    "heartbeat.json",
    "report.html",
    "plots",
    "metrics.jsonl",
    "results.csv",
)


@dataclasses.dataclass(frozen=True)
class Link:
    """A run within a chain.

    Attributes:
        run: The run.
        record: What it says of itself.
        offset: What has to be added to its steps for them to count on from its parent's.
        until: Its last step that belongs to the chain, in its own count; None for the last run.
        attempts: Attempts of the runs before it.
    """

    run: RunDirectory
    record: RunRecord
    offset: int
    until: int | None
    attempts: int


def chain(run: RunDirectory) -> list[Link]:
    """The runs that lead to `run`, the first one first. Raises RunError where one is gone."""
    runs = ancestors(run)
    records = [item.record() for item in runs]
    links: list[Link] = []
    offset = attempts = 0
    for place, (item, record) in enumerate(zip(runs, records, strict=True)):
        origin = origin_of(record)
        if origin is not None and record.attempts:
            offset += origin.step - record.attempts[0].from_step
        following = origin_of(records[place + 1]) if place + 1 < len(runs) else None
        links.append(Link(item, record, offset, following.step if following else None, attempts))
        attempts += len(record.attempts)
    return links


def merge(run: RunDirectory, runs_dir: str | os.PathLike[str]) -> tuple[RunDirectory, bool]:
    """Makes one run of a chain of continued runs: the weights and scores of the last, the curves of all.

    The runs themselves stay as they are. The new run says done and holds no checkpoint: what is to be
    continued is the last run of the chain.

    Args:
        run: The last run of the chain.
        runs_dir: Where the merged run is made.

    Returns:
        The merged run, and whether it was there already.

    Raises:
        RunError: The run does not go on from another one, one of the chain is gone, or the last is not done.
        StorageError: The directory cannot be written.
    """
    links = chain(run)
    if len(links) < 2:
        raise RunError(
            "there is nothing to merge",
            where=str(run.path),
            why="the run does not go on from another one",
            fix="name the last run of a chain; `trainwright runs lineage RUN` shows it",
        )
    if links[-1].record.state != "done":
        raise RunError(
            f"the last run of the chain is {run.state()}",
            where=str(run.path),
            fix=f"`trainwright resume {run.path}` trains it to its end",
        )
    record = merged_record(links)
    target = RunDirectory(Path(runs_dir) / f"{record.name}-{record.salt}")
    if target.record_file.exists():
        return target, True
    try:
        Path(runs_dir).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".merging-", dir=runs_dir) as folder:
            made = RunDirectory(Path(folder) / target.id)
            shutil.copytree(run.path, made.path, ignore=shutil.ignore_patterns(*_LEFT_OUT))
            write_text(made.metrics_file, "".join(_lines(links)))
            record.save(made.record_file)
            made.write_results()
            made.path.rename(target.path)
    except OSError as error:
        raise StorageError(target.path, error) from error
    return target, False


def merged_record(links: Sequence[Link]) -> RunRecord:
    """The record of a chain: the last run's, with the attempts of all and steps that count through."""
    last = links[-1]
    digest = hashlib.sha256("\n".join(link.record.digest for link in links).encode()).hexdigest()
    best = dict(last.record.best)
    if "step" in best:
        best["step"] += last.offset
    progress: dict[str, Any] = dict(last.record.progress)
    for key in ("step", "total_steps"):
        if progress.get(key) is not None:
            progress[key] += last.offset
    return dataclasses.replace(
        last.record,
        name=f"{links[0].record.name}-merged",
        salt=digest[:10],
        digest=digest,
        created=links[0].record.created,
        attempts=[attempt for link in links for attempt in _attempts(link)],
        progress=progress,
        best=best,
        parents=[],
        merged=[{"run": link.run.id, "from_step": _begin(link) + link.offset} for link in links],
    )


def _begin(link: Link) -> int:
    return link.record.attempts[0].from_step if link.record.attempts else 0


def _attempts(link: Link) -> Iterator[Attempt]:
    for attempt in link.record.attempts:
        yield dataclasses.replace(
            attempt, number=attempt.number + link.attempts, from_step=attempt.from_step + link.offset
        )


def _lines(links: Sequence[Link]) -> Iterator[str]:
    """Lines of `metrics.jsonl`; what a run did after the point that was gone on from is left out."""
    for link in links:
        for item in read_current(link.run.metrics_file, link.record.resumed_from):
            if link.until is not None and item.step > link.until:
                continue
            value = dataclasses.asdict(item)
            value["step"] += link.offset
            value["attempt"] += link.attempts
            value["values"] = {name: _written(number) for name, number in item.values.items()}
            yield json.dumps(value) + "\n"


def _written(number: float) -> float | str:
    """As the spool writes numbers that JSON lacks."""
    if number != number:
        return "NaN"
    return number if abs(number) != float("inf") else "Infinity" if number > 0 else "-Infinity"
