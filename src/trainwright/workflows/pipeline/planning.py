"""How a pipeline stands: which stages are done, which are not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from trainwright.errors import RunError
from trainwright.recipe.salt import Difference, explain_difference
from trainwright.runs.heartbeat import read_heartbeat
from trainwright.runs.listing import row, split_id
from trainwright.runs.metrics import last_values
from trainwright.runs.record import RunState
from trainwright.workflows.pipeline.definition import Pipeline
from trainwright.workflows.pipeline.identity import IdentifiedStage
from trainwright.workflows.pipeline.references import replaced
from trainwright.workflows.pipeline.stage_directory import Manifest, StageDirectory

_TOLD = 3


class StageState(StrEnum):
    """Where a stage stands."""

    DONE = "done"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    WAITING = "waiting"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class StageStatus:
    """One row of a pipeline's table.

    Attributes:
        stage: Its name.
        component: What it does.
        state: Where it stands.
        salt: Ten hex digits.
        reason: Why it is not done, or who works on it.
        step: How far it came, where it counts steps.
        total_steps: Of how many.
        seconds: That it has worked, over all attempts.
        output: Folder of its output, or the run that it is; None while there is none.
        after: Stages that it waits for.
        metrics: Numbers that it reported.
    """

    stage: str
    component: str
    state: StageState
    salt: str
    reason: str = ""
    step: int | None = None
    total_steps: int | None = None
    seconds: float = 0.0
    output: str | None = None
    after: tuple[str, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The row as plain values."""
        return asdict(self)


class Plan:
    """The stages of a pipeline with their salts, in the folder that keeps their outputs.

    Args:
        pipeline: What the file says.
        stages: From `identify`.
        folder: `pipelines/<name>`.
    """

    def __init__(self, pipeline: Pipeline, stages: Mapping[str, IdentifiedStage], folder: Path) -> None:
        self.pipeline, self.stages, self.folder = pipeline, stages, folder

    def directory(self, name: str) -> StageDirectory:
        """Where a stage works and keeps its output."""
        return StageDirectory(self.folder / f"{name}-{self.stages[name].salt}")

    def made(self, name: str) -> tuple[Manifest | None, str]:
        """What a stage made, as far as it still counts; else None, and why not where it was made once."""
        directory = self.directory(name)
        manifest = directory.manifest()
        if manifest is None:
            return None, ""
        fault = directory.fault(manifest) or self._other_inputs(name, manifest)
        return (None, fault) if fault else (manifest, "")

    def inputs(self, name: str) -> dict[str, str]:
        """Digests of the outputs that a stage reads, of those that are there."""
        found = {}
        for other in self.stages[name].stage.uses:
            manifest = self.directory(other).manifest()
            if manifest is not None:
                found[other] = manifest.digest
        return found

    def order(self, name: str) -> dict[str, Any]:
        """A stage's values with the outputs that it names, which must be there, in their places."""

        def output(other: str) -> str:
            directory = self.directory(other)
            manifest = directory.manifest()
            assert manifest is not None, other
            return str(directory.result(manifest).resolve())

        filled: dict[str, Any] = replaced(self.stages[name].spec, output)
        return filled

    def missing(self, targets: list[str]) -> set[str]:
        """Stages that have to be made for the targets: those that are not done, and what they wait for."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = list(targets)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if self.made(name)[0] is None:
                found.add(name)
                waiting += self.stages[name].stage.after
        return found

    def miss(self, name: str) -> str:
        """Why a stage that was made before under another salt is not the same; empty where it never was."""
        parts = self.stages[name].identity.parts
        best: tuple[int, float, str] | None = None
        for path in self.folder.glob(f"{name}-*"):
            directory = StageDirectory(path)
            if split_id(path.name)[0] != name or path == self.directory(name).path:
                continue
            try:
                record = directory.run.record()
            except RunError:
                continue
            differing = [_in_words(item) for item in explain_difference(record.parts, parts)]
            more = f", and {len(differing) - _TOLD} more" if len(differing) > _TOLD else ""
            text = f"not the same as {path.name}: {', '.join(differing[:_TOLD])}{more}"
            candidate = (len(differing), -record.created, text)
            best = candidate if best is None else min(best, candidate)
        return best[2] if best is not None else ""

    def status(self, name: str) -> StageStatus:
        """One row, from what is on disk. Raises RunError where a record is damaged."""
        item, directory = self.stages[name], self.directory(name)
        stage = item.stage
        manifest, fault = self.made(name)
        state, reason, step, total, seconds = StageState.WAITING, fault or self.miss(name), None, None, 0.0
        if directory.run.record_file.exists():
            found = row(directory.run)
            beat = read_heartbeat(directory.run.heartbeat)
            seconds, step, total = found.seconds, beat.get("step"), beat.get("total_steps")
            if found.state == RunState.DONE:
                state = StageState.WAITING
            else:
                state, reason = StageState(found.state), found.reason
        if manifest is not None and state is not StageState.RUNNING:
            state, reason = StageState.DONE, ""
        return StageStatus(
            name,
            stage.info.name,
            state,
            item.salt,
            reason,
            step,
            total,
            seconds,
            None if manifest is None else str(directory.result(manifest).resolve()),
            stage.after,
            last_values(directory.run.metrics_file),
        )

    def statuses(self) -> list[StageStatus]:
        """All rows in order; what waits for a stage that failed is blocked."""
        rows: dict[str, StageStatus] = {}
        for name in self.stages:
            found = self.status(name)
            stopped = [
                other for other in found.after if rows[other].state in (StageState.FAILED, StageState.BLOCKED)
            ]
            if found.state is StageState.WAITING and stopped:
                reason = f"waits for {stopped[0]}, which {_why(rows[stopped[0]])}"
                found = replace(found, state=StageState.BLOCKED, reason=reason)
            rows[name] = found
        return list(rows.values())

    def _other_inputs(self, name: str, manifest: Manifest) -> str:
        """Stages that were made anew since, and have become others."""
        now = self.inputs(name)
        changed = [other for other, digest in manifest.inputs.items() if now.get(other, digest) != digest]
        return f"the output of {changed[0]} is another one now" if changed else ""


def _in_words(difference: Difference) -> str:
    """A difference as the file has it: `recipe.train.epochs`, `run`, content of `source`."""
    section, _, key = difference.field.partition(".")
    text = str(difference)
    if section in ("parameters", "recipes"):
        return text.removeprefix(f"{section}.")
    return f"content of {text.removeprefix('content.')}" if section == "content" and key else text


def _why(status: StageStatus) -> str:
    return "failed" if status.state is StageState.FAILED else "is blocked itself"
