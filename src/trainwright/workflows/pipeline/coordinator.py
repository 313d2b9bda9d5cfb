"""Works on a pipeline: what is not done is made, in processes of their own, in the order of the graph."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.errors import RecipeError, RunError
from trainwright.recipe.nodes import join_path
from trainwright.runs.atomic import make_directory, write_json
from trainwright.runs.environment import usable_cores
from trainwright.runs.lock import holder
from trainwright.workflows.pipeline.graph import before, behind
from trainwright.workflows.pipeline.planning import Plan, StageState
from trainwright.workflows.studies import escaped
from trainwright.workflows.worker_process import WorkerProcess

_POLL = 0.5
_WORKER = "trainwright.workflows.pipeline.stage_worker"
_SETTLED = (StageState.DONE, StageState.FAILED, StageState.BLOCKED)


@dataclass
class PipelineResult:
    """How a start ended.

    Attributes:
        finished: Everything that was asked for is done.
        reason: Why it stopped before that, in words.
        made: Stages that were made.
        kept: Stages that were done before.
        failed: Stage -> why it failed.
        blocked: Stage -> stage that it waited for, which failed.
    """

    finished: bool = True
    reason: str = ""
    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)


class StageProcess(WorkerProcess):
    """A process and the stage that it makes.

    Args:
        index: Its number among its siblings.
        threads: Compute threads that it may use.
        log: File that takes what it and the user's code print.
    """

    def __init__(self, index: int, threads: int, log: Path) -> None:
        super().__init__(_WORKER, index, threads, log)
        self.stage: str | None = None


class Coordinator:
    """One start of a pipeline.

    Args:
        plan: Its stages with their salts.
        runs_dir: Where the runs of its stages live.
        only: Stages that are asked for, with what they wait for; all when empty.
        force: Stages that are made anew though they are done.
        jobs: Stages at a time.
        say: Told what happens: stage, and a line.
        stop: True when it is asked to stop.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        runs_dir: str | Path,
        only: Iterable[str] = (),
        force: Iterable[str] = (),
        jobs: int = 1,
        say: Callable[[str, str], None] = lambda _stage, _line: None,
        stop: Any = False,
    ) -> None:
        self._plan, self._runs_dir, self._jobs = plan, Path(runs_dir), jobs
        self._say, self._stop = say, stop
        self._force = set(force)
        self._threads = max(1, usable_cores() // jobs)
        self._processes: list[StageProcess] = []
        self._result = PipelineResult()
        self._after = {name: item.stage.after for name, item in plan.stages.items()}
        self._standing = dict.fromkeys(self._wanted(list(only)), StageState.WAITING)
        self._held: dict[str, str] = {}

    def run(self) -> PipelineResult:
        """Works until everything that was asked for is done or cannot be, or until it is asked to stop.

        Raises:
            RecipeError: A recipe that is to be trained would be refused; no stage was begun.
            StorageError: The pipeline's folder cannot be written.
        """
        make_directory(self._plan.folder)
        self._write_outline()
        try:
            self._check()
            while not self._over():
                self._step()
        finally:
            for process in self._processes:
                process.kill()
        result = self._result
        result.finished = not (result.failed or result.blocked or result.reason)
        return result

    def _wanted(self, only: list[str]) -> list[str]:
        """Stages to look at, in order: those asked for, what they lack, and what that may change."""
        targets = only or list(self._plan.stages)
        missing = self._plan.missing(targets) | self._force
        around = before(self._after, [*targets, *self._force])
        wanted = {*targets, *missing, *(behind(self._after, missing) & around)}
        return [name for name in self._plan.stages if name in wanted]

    def _write_outline(self) -> None:
        stages = {
            name: {"salt": item.salt, "component": item.stage.info.name, "after": list(item.stage.after)}
            for name, item in self._plan.stages.items()
        }
        outline = {"name": self._plan.pipeline.name, "file": self._plan.pipeline.source, "stages": stages}
        write_json(self._plan.folder / "pipeline.json", outline)

    def _check(self) -> None:
        """Lets a process check the recipes that will be trained and can be checked already."""
        for name in self._standing:
            item, directory = self._plan.stages[name], self._plan.directory(name)
            if directory.run.record_file.exists() or self._plan.made(name)[0] is not None:
                continue  # it was checked when it was begun
            for path, recipe, overrides in item.to_check:
                self._say(name, "checks its recipe")
                process = self._idle() or self._start()
                process.tell({"kind": "check", "recipe": _unread(recipe), "overrides": escaped(overrides)})
                self._refuse(process, name, join_path(path))
                if item.has_user_code:
                    self._end(process)
                if self._stop:
                    return

    def _refuse(self, process: StageProcess, name: str, path: str) -> None:
        """Waits for the answer of a check. Raises RecipeError where it refuses the recipe."""
        while not self._stop:
            select.select([process], [], [], _POLL)
            answers, ended = process.answers()
            for answer in answers:
                if answer["refused"]:
                    where = self._plan.pipeline.problem(self._plan.stages[name].stage.path, "").where
                    raise RecipeError(f"{path} cannot be trained:\n{answer['refused']}", where=where)
                return
            if ended:
                how = process.how_it_ended()
                raise RunError(f"{path} could not be checked", why=how, where=str(self._log))

    @property
    def _log(self) -> Path:
        return self._plan.folder / "log.txt"

    def _over(self) -> bool:
        if not self._result.reason and self._stop:
            self._result.reason = "interrupted"
        if self._result.reason:
            for process in self._busy():
                process.interrupt()
            return not self._busy()
        return all(state in _SETTLED for state in self._standing.values())

    def _step(self) -> None:
        if not self._result.reason:
            self._hand_out()
        if self._processes:
            select.select(self._processes, [], [], _POLL)
        elif not self._over():
            time.sleep(_POLL)
        for process in list(self._processes):
            answers, ended = process.answers()
            for answer in answers:
                self._answered(process, answer)
            if ended and process in self._processes:
                self._died(process)

    def _hand_out(self) -> None:
        """Settles what needs no work, and gives idle processes what is ready."""
        for name in list(self._standing):
            if self._standing[name] is not StageState.WAITING or self._is_held(name):
                continue
            others = [other for other in self._after[name] if other in self._standing]
            stopped = [o for o in others if self._standing[o] in (StageState.FAILED, StageState.BLOCKED)]
            if stopped:
                self._standing[name] = StageState.BLOCKED
                self._result.blocked[name] = stopped[0]
                self._say(name, f"is not made: it waits for {stopped[0]}")
            elif all(self._standing[other] is StageState.DONE for other in others):
                self._begin(name)

    def _begin(self, name: str) -> None:
        """A stage is ready: it is done already, or a process that is free makes it."""
        forced = name in self._force
        manifest, fault = self._plan.made(name)
        if manifest is not None and not forced:
            self._standing[name] = StageState.DONE
            self._result.kept.append(name)
            self._say(name, f"done before ({self._plan.stages[name].salt})")
            return
        if len(self._busy()) >= self._jobs:
            return
        why = "is made anew, as asked for" if forced else fault or self._plan.miss(name)
        self._say(name, f"starts{': ' if why else ''}{why}")
        process = self._idle() or self._start()
        process.stage, self._standing[name] = name, StageState.RUNNING
        process.tell(self._order(name, manifest.digest if manifest is not None and forced else ""))

    def _order(self, name: str, redo: str) -> dict[str, Any]:
        item, pipeline = self._plan.stages[name], self._plan.pipeline
        code = pipeline.tree.child("code")
        return {
            "kind": "stage",
            "stage": name,
            "directory": str(self._plan.directory(name).path.absolute()),
            "spec": self._plan.order(name),
            "written": escaped(item.stage.spec),
            "salt": item.salt,
            "digest": item.identity.digest,
            "parts": item.identity.parts,
            "about": {
                "pipeline": pipeline.name,
                "name": name,
                "component": item.stage.info.name,
                "uses": {other: self._plan.stages[other].salt for other in item.stage.uses},
            },
            "inputs": self._plan.inputs(name),
            "redo": redo,
            "fresh": name in self._force,
            "runs_dir": str(self._runs_dir.absolute()),
            "beside": str(pipeline.folder),
            "code": code.plain() if code is not None else [],
            "threads": self._threads,
        }

    def _answered(self, process: StageProcess, answer: dict[str, Any]) -> None:
        name = process.stage
        if name is None:
            return
        kind = answer["kind"]
        if kind == "line":
            self._say(name, answer["text"])
            return
        process.stage = None
        if kind == "done":
            self._standing[name] = StageState.DONE
            self._force.discard(name)
            (self._result.made if answer["made"] else self._result.kept).append(name)
            self._say(name, f"done in {answer['seconds']:.1f} s" if answer["made"] else "done meanwhile")
            if self._plan.stages[name].has_user_code:
                self._end(process)  # modules of the next stage may have the same names
            return
        if kind == "held":
            self._standing[name] = StageState.WAITING
            self._held[name] = answer["reason"]
            self._say(name, f"{answer['reason']}; waiting for it")
            return
        if kind == "interrupted":
            self._standing[name] = StageState.INTERRUPTED
            self._say(name, f"interrupted: {answer['reason']}")
            self._result.reason = self._result.reason or "interrupted"
        else:
            self._failed(name, answer["reason"])
        self._end(process)

    def _failed(self, name: str, reason: str) -> None:
        self._standing[name] = StageState.FAILED
        self._result.failed[name] = reason
        self._say(name, f"failed: {reason}")

    def _died(self, process: StageProcess) -> None:
        name, process.stage = process.stage, None
        if name is not None and process.stopping:
            self._standing[name] = StageState.INTERRUPTED
        elif name is not None:
            self._failed(name, f"{process.how_it_ended()}; see {self._log}")
        self._end(process)

    def _is_held(self, name: str) -> bool:
        """Whether somebody else is still at work on a stage."""
        if name in self._held and holder(self._plan.directory(name).run.lock_file) is None:
            del self._held[name]
        return name in self._held

    def _busy(self) -> list[StageProcess]:
        return [process for process in self._processes if process.stage is not None]

    def _idle(self) -> StageProcess | None:
        return next((process for process in self._processes if process.stage is None), None)

    def _start(self) -> StageProcess:
        taken = {process.index for process in self._processes}
        index = next(number for number in range(len(taken) + 1) if number not in taken)
        process = StageProcess(index, self._threads, self._log)
        self._processes.append(process)
        return process

    def _end(self, process: StageProcess) -> None:
        process.kill()
        self._processes.remove(process)


def _unread(recipe: Any) -> Any:
    """A recipe that was given as a mapping has had its variables expanded already."""
    return escaped(recipe) if isinstance(recipe, dict) else recipe
