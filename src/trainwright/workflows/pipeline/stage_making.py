"""Makes one stage: takes its lock, calls its component, puts the output in place, and keeps how it went."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from trainwright import log, registry
from trainwright.errors import RunError, StorageError, TrainwrightError
from trainwright.progress import NoProgress
from trainwright.recipe.nodes import join_path
from trainwright.recipe.places import find_place
from trainwright.registry.user_code import kept_running
from trainwright.runs.directory import RunDirectory
from trainwright.runs.environment import environment
from trainwright.runs.heartbeat import Heartbeat
from trainwright.runs.lock import LockHeld
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.spool import Spool
from trainwright.workflows.pipeline.stage_directory import Manifest, StageDirectory
from trainwright.workflows.stages.work import StageWork

Say = Callable[..., None]
Held = Callable[[], AbstractContextManager[None]]
_FRESH = "fresh"


class ToldProgress(NoProgress):
    """Sends messages and epochs to the coordinator, and knows how far the stage is for its heartbeat."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say
        self.status: dict[str, Any] = {}

    def start(self, total_steps: int | None, steps_per_epoch: int, batch_size: int) -> None:
        """Keeps how many steps there are."""
        self.status = {"total_steps": total_steps}

    def step(self, step: int) -> None:
        """Keeps how many steps are done."""
        self.status["step"] = step

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Tells of an epoch."""
        from trainwright.progress import format_metrics

        self.status["epoch"] = epoch
        self.message(f"epoch {epoch}  {format_metrics(metrics)}")

    def message(self, text: str) -> None:
        """Tells a sentence."""
        log.note(text)
        self._say("line", text=text)


def make(order: Mapping[str, Any], say: Say, held: Held) -> dict[str, Any]:
    """Makes a stage.

    Args:
        order: See `coordinator.Coordinator`.
        say: Tells the coordinator something on the way.
        held: A context in which nobody may interrupt.

    Returns:
        `kind`: `done` with the output's `digest`, `failed` or `interrupted` with a `reason`, or `held`,
        when another process is at work on the stage.
    """
    directory = StageDirectory(order["directory"])
    try:
        directory.path.mkdir(parents=True, exist_ok=True)
        directory.run.acquire()
    except LockHeld as error:
        return {"kind": "held", "reason": error.what}
    except (OSError, TrainwrightError) as error:
        return {"kind": "failed", "reason": str(error)}
    try:
        return _Making(order, directory, say, held).run()
    finally:
        directory.run.lock.release()


class _Making:
    """The work on one stage, whose lock is held."""

    def __init__(self, order: Mapping[str, Any], directory: StageDirectory, say: Say, held: Held) -> None:
        self.order, self.directory, self.say, self.held = order, directory, say, held
        self.progress = ToldProgress(say)
        self.began = time.time()

    def run(self) -> dict[str, Any]:
        """Makes the stage; what the coordinator is told: `kind`, and digest and seconds or a reason."""
        try:
            made = self._made_meanwhile()
            if made is not None:
                return {"kind": "done", "digest": made.digest, "seconds": made.seconds, "made": False}
            record = self._record()
        except TrainwrightError as error:
            return {"kind": "failed", "reason": str(error)}
        try:
            with log.to_file(self.directory.run.log), self._spool(record) as spool:
                manifest = self._make(spool)
        except KeyboardInterrupt as error:
            return self._ended(record, RunState.INTERRUPTED, str(error) or "it was asked to stop")
        except TrainwrightError as error:
            return self._ended(record, RunState.FAILED, str(error))
        except Exception as error:
            import traceback

            traceback.print_exc()  # into the pipeline's log
            return self._ended(record, RunState.FAILED, f"{type(error).__name__}: {error}")
        with self.held():
            self._ended(record, RunState.DONE, "")
        return {"kind": "done", "digest": manifest.digest, "seconds": manifest.seconds, "made": True}

    def _made_meanwhile(self) -> Manifest | None:
        """What another process made between the coordinator's look and this lock."""
        manifest = self.directory.manifest()
        if manifest is None or self.order["redo"] == manifest.digest or self.directory.fault(manifest):
            return None
        return manifest if manifest.inputs == self.order["inputs"] else None

    def _record(self) -> RunRecord:
        """The stage's record with a new attempt: the one that is there, or a new one."""
        order, run = self.order, self.directory.run
        try:
            record = run.record() if run.record_file.exists() else None
        except RunError as error:
            self.say("line", text=f"its record is written anew: {error.what}")
            record = None
        if record is not None and record.digest != order["digest"]:
            raise RunError(
                "another stage has the same salt by accident", where=str(run.path), fix="rename the stage"
            )
        if record is None:
            record = RunRecord(
                name=order["stage"],
                salt=order["salt"],
                digest=order["digest"],
                parts=order["parts"],
                extra={"stage": order["about"]},
                **environment(),
            )
            record.begin()
            self.directory.create(record, order["written"])
        else:
            record.begin()
            run.save(record)
        return record

    @contextmanager
    def _spool(self, record: RunRecord) -> Iterator[Spool]:
        beat = Heartbeat(self.directory.run.heartbeat, lambda: dict(self.progress.status), interval=2.0)
        with Spool(self.directory.run.metrics_file, attempt=record.attempt) as spool:
            beat.start()
            try:
                yield spool
            finally:
                beat.stop()

    def _make(self, spool: Spool) -> Manifest:
        folder = self.directory.begin()
        fresh = self.directory.scratch / _FRESH
        if self.order["fresh"]:
            fresh.touch()  # so that it stays asked for when this attempt is interrupted
        made = self._call(self._work(folder, spool, fresh=fresh.exists()))
        run = self._run_of(made)
        seconds = round(time.time() - self.began, 3)
        spool.log(0, 0.0, {"stage/seconds": seconds})
        spool.flush()
        with self.held():
            return self.directory.commit(folder, run, self.order["inputs"], seconds)

    def _work(self, folder: Path, spool: Spool, *, fresh: bool) -> StageWork:
        def record(values: Mapping[str, float], step: int = 0) -> None:
            spool.log(step, 0.0, values)

        return StageWork(
            name=self.order["stage"],
            folder=folder,
            scratch=self.directory.scratch,
            runs_dir=Path(self.order["runs_dir"]),
            beside=Path(self.order["beside"]),
            threads=self.order["threads"],
            fresh=fresh,
            progress=self.progress,
            log=record,
        )

    def _call(self, work: StageWork) -> Any:
        spec, where = self.order["spec"], join_path(("stages", self.order["stage"]))
        registry.search_in(
            [Path(place) for text in self.order["code"] if (place := find_place(text, work.beside))],
            work.beside,
        )
        values = registry.arguments("stage", spec, where=where)
        info = registry.describe("stage", spec["name"])
        if "stage" in info.positional:
            values["stage"] = work
        with kept_running(f"{info.name} ended the program", where):
            return registry.load(info)(**values)

    def _run_of(self, made: Any) -> Path | None:
        """The run that a stage says is its output."""
        if made is None:
            return None
        if not isinstance(made, str | os.PathLike):
            raise RunError(
                f"the stage gave a {type(made).__name__}",
                where=self.order["stage"],
                fix="write the output into `stage.folder` and give nothing, or give a run's directory",
            )
        return RunDirectory.open(made).path

    def _ended(self, record: RunRecord, state: RunState, reason: str) -> dict[str, Any]:
        record.progress = dict(self.progress.status)
        record.end(state, reason)
        try:
            self.directory.run.save(record)
        except StorageError as error:  # the disk may be what failed in the first place
            reason = f"{reason}\n{error}"
        return {"kind": str(state), "reason": reason}
