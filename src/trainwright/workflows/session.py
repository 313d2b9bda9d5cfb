"""One process's work on one run: build, train, evaluate, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from trainwright.allocator import give_back_freed_memory
from trainwright.data.types import PreparedData
from trainwright.engine import distributed
from trainwright.engine.build import (
    build_network,
    build_parts,
    build_task,
    check_monitors,
    check_network,
)
from trainwright.engine.fake_step import check_shapes
from trainwright.engine.health.diverged import Diverged
from trainwright.engine.layer_trail import failed_method
from trainwright.engine.memory_bound import Counted
from trainwright.engine.parts import Outcome, Parts
from trainwright.engine.preflight import Preflight
from trainwright.engine.restoring import check_parts
from trainwright.engine.runtime import Execution, Runtime
from trainwright.engine.signals import stop_on_signals
from trainwright.errors import RunError, TrainwrightError, UserError
from trainwright.inference.artifact import save_processors
from trainwright.inference.evaluation import evaluate_split
from trainwright.inference.first_answers import check_columns
from trainwright.inference.predictor import Predictor
from trainwright.inference.restored_processors import check_processors
from trainwright.models.heads.author import failure_of
from trainwright.models.weights import apply_weights, load_weights
from trainwright.registry.user_code import kept_running
from trainwright.runs.atomic import StorageError, write_json
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.feeding import feeding
from trainwright.runs.index.place import index_place
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.second_start import without_lock
from trainwright.workflows.attempts import Attempts
from trainwright.workflows.checked_networks import checked_once
from trainwright.workflows.feeding import Feeding
from trainwright.workflows.hard_samples import write_hard_samples
from trainwright.workflows.network_check import check_training
from trainwright.workflows.room import Room, refuse_a_full_disk
from trainwright.workflows.run_execution import (
    base_execution,
    chosen_execution,
    device_of,
    kept_execution,
    refuse_precision,
)
from trainwright.workflows.run_files import (
    save_weights,
    what_is_left,
    write_data_report,
)
from trainwright.workflows.training import RunResult, Watch

if TYPE_CHECKING:
    from trainwright.recipe import LoadedRecipe
    from trainwright.tasks.base import Task

Agreed = TypeVar("Agreed")


class Session:
    """Holds the processes of a run together, from the recipe to the report.

    Args:
        loaded: The recipe.
        progress: Who watches.
        watch: Asked after every epoch but the last; see `training.Watch`.
        wait: Whether to wait for a GPU where the recipe says so.
    """

    def __init__(
        self, loaded: LoadedRecipe, progress: Any, watch: Watch | None = None, *, wait: bool = True
    ) -> None:
        self._watch, self._wait = watch, wait
        self.loaded, self.recipe, self.progress = loaded, loaded.recipe, progress
        self.seconds: dict[str, float] = {}
        self._begun = time.perf_counter()

    def __enter__(self) -> Session:
        device = device_of(self.recipe, self.progress.message, wait=self._wait)
        self.processes = distributed.join(device)
        self.device = device
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.processes.close()

    def agree(self, call: Callable[[], Agreed]) -> Agreed:
        """Lets the first process decide something, and tells the others; its error is everyone's."""
        if self.processes.size == 1:
            return call()
        answer: tuple[str, Any] = ("", None)
        if self.processes.is_first:
            try:
                answer = ("value", call())
            except TrainwrightError as error:
                answer = ("error", error)
                self.processes.broadcast(("error", str(error)))
                raise
        kind, value = self.processes.broadcast((answer[0], without_lock(answer[1])))
        if kind == "error":
            raise UserError(f"the first process stopped: {value}", fix="see what it said")
        return answer[1] if self.processes.is_first else value

    def run(
        self, run: RunDirectory, data: PreparedData, record: RunRecord | None, *, from_best: bool = False
    ) -> RunResult:
        """Trains from the last checkpoint, or from the start, and evaluates the best weights.

        Args:
            run: The run directory; this process holds its lock.
            data: Prepared data.
            record: The run's record on the first process, None on the others.
            from_best: Start from the best weights with a new optimizer state.
        """
        index_place(run.path.parent)  # refuses an address that is none before anything is trained
        sinks = self.recipe.train.sinks if record is not None else []
        with ExitStack() as self._indexing, Feeding(run, sinks, self.progress.message) as self._feeding:
            return self._run(run, data, record, from_best)

    def _run(
        self, run: RunDirectory, data: PreparedData, record: RunRecord | None, from_best: bool
    ) -> RunResult:
        self._lap("data")
        try:
            settle = 2.0 if self.processes.size > 1 else 0.0
            with (
                kept_running(),
                stop_on_signals(self.progress.message, lambda: what_is_left(run), settle=settle) as stop,
            ):
                attempts = Attempts(
                    self.recipe,
                    run,
                    data,
                    record,
                    self.progress,
                    self.processes,
                    self.agree,
                    build=lambda: self._build(run, data, record),
                    begin=lambda: self._feed(run),
                    watch=self._watch,
                    stop=stop,
                )
                parts, outcome = attempts.train(from_best=from_best)
                self._lap("train")
            if outcome.state == "interrupted":
                return RunResult(
                    run.path,
                    "interrupted",
                    outcome.reason,
                    messages=[f"saved at step {outcome.step}; go on with: trainwright resume {run.path}"],
                )
            give_back_freed_memory()
            metrics = self._evaluate(run, data, parts)
            for split, scores in metrics.items():
                logs = {f"{split}/{name}": value for name, value in scores.items()}
                if parts.callbacks is not None:
                    parts.callbacks.call("end", "test", outcome.epoch, outcome.step, logs)
        except BaseException as error:
            failure = failure_of(error)
            told = error if failure is None else failed_method(failure, error)
            self._failed(run, record, told)
            if told is error:
                raise
            raise told from error
        messages = self._finish(run, data, record, outcome)
        return RunResult(run.path, "done", outcome.reason, metrics, messages)

    def check(self, data: PreparedData, runs_dir: Path, *, probe: bool = False) -> list[str]:
        """Builds the model and runs two samples through it; what is known of it, in words.

        Args:
            data: Prepared data.
            runs_dir: Where runs are to be made.
            probe: Measure what a step takes, also where there is plenty of memory.

        Raises:
            UserError: Something does not fit.
        """
        index_place(runs_dir)
        return check_training(self.loaded, self.device, self.processes, data, runs_dir, probe=probe)

    def _build(self, run: RunDirectory, data: PreparedData, record: RunRecord | None) -> Parts:
        """Model, execution and everything the loop drives, checked on real samples."""
        recipe = self.recipe
        torch.set_num_threads(base_execution(self.recipe, self.device, self.processes).threads)
        pinned = self.processes.broadcast(record.pinned if record is not None else None)
        base = base_execution(recipe, self.device, self.processes)
        room = Room(self.loaded, data, base)
        if not pinned:
            refuse_precision(recipe, self.device)
            shapes = check_shapes(recipe, data, base)
            self.agree(lambda: room.refuse_what_cannot_be(room.counted_without_memory(shapes)))
        task = build_task(recipe)
        model = build_network(task, recipe, data, self.progress.message)
        for warning in distributed.about_statistics(model, self.processes.size):
            self.progress.message(warning)
        kept = Execution.from_json(pinned) if pinned else None
        found = None if kept else self._checked(task, model, data, record)
        for doubt in found.doubts if found is not None else ():
            self.progress.message(doubt)
        if found is not None:
            base = self._with_room(room, room.counted(model, found), base, run)
        execution = (
            kept_execution(kept, self.device, self.processes, self.progress)
            if kept
            else chosen_execution(recipe, task, model, data, base, self.processes, self.progress)
        )
        if record is not None:
            record.pinned = execution.to_json()
            columns = {
                name: column.column or name
                for name, column in {**recipe.data.inputs, **recipe.data.targets}.items()
            }
            save_processors(run.processors, data.inputs, data.targets, columns)
            write_data_report(run, data)
        parts = build_parts(recipe, data, task, model, Runtime(execution), self.processes)
        if found is not None:
            check_monitors(parts, found.names)
            check_processors(data, users_only=True)
            check_parts(parts, spoil=False)
        self._lap("build")
        return parts

    def _with_room(self, room: Room, counted: Counted, base: Execution, run: RunDirectory) -> Execution:
        """The execution, in parts that fit; raises UserError where none do."""
        self.agree(lambda: refuse_a_full_disk(self.recipe, counted, run.path))
        verdict = self.agree(lambda: room.judge(counted))
        for line in verdict.lines if verdict.worth_telling else ():
            self.progress.message(line)
        return verdict.applied(base)

    def _checked(
        self, task: Task, model: torch.nn.Module, data: PreparedData, record: RunRecord | None
    ) -> Preflight:
        """Metrics that the run will give, and doubts; raises UserError where the model does not fit."""
        base = base_execution(self.recipe, self.device, self.processes)
        alone = record if self.processes.size == 1 else None

        def check() -> Preflight:
            """Of the model, and of the table that its answers go into."""
            found = check_network(task, model, self.recipe, data, base)
            check_columns(task, data.targets, found.first)
            return found

        return checked_once(alone, base, check)

    def _feed(self, run: RunDirectory) -> None:
        """From now on sinks and index are given the run's metrics."""
        self._feeding.begin()
        self._indexing.enter_context(feeding(run))

    def _evaluate(self, run: RunDirectory, data: PreparedData, parts: Parts) -> dict[str, dict[str, float]]:
        """Scores the best weights on the splits that the recipe names, through the Predictor."""
        wanted = self.recipe.report.splits
        splits = wanted if wanted is not None else [s for s in ("val", "test") if len(data.splits.get(s, ()))]
        if self.processes.is_first and not run.best.exists():
            save_weights(run.best, parts)
        self.agree(lambda: None)
        apply_weights(parts.model, load_weights(run.best), strict=True)
        predictor = Predictor(
            self.recipe,
            parts.task,
            parts.model,
            data.inputs,
            data.targets,
            {},
            parts.runtime.execution,
            self.processes,
        )
        metrics = {split: evaluate_split(predictor, data, split, run.evaluation(split)) for split in splits}
        if parts.samples is not None:
            write_hard_samples(run, data, predictor, parts.samples)
        self._lap("evaluate")
        return metrics

    def _finish(
        self, run: RunDirectory, data: PreparedData, record: RunRecord | None, outcome: Outcome
    ) -> list[str]:
        """The report, and the last word in the record."""
        if record is None:
            return []
        messages = []
        record.end(RunState.DONE, outcome.reason)
        write_json(run.timings, self.seconds)
        run.save(record)
        if self.recipe.report.enabled:
            from trainwright.workflows.reporting import report_on

            give_back_freed_memory()
            try:
                report_on(run.path, data)
            except StorageError as error:
                messages.append(f"the report could not be written: {error}")
            self._lap("report")
            write_json(run.timings, self.seconds)
        return messages

    def _failed(self, run: RunDirectory, record: RunRecord | None, error: BaseException) -> None:
        """Says in the record why the run ended; what can be resumed is interrupted, not failed."""
        if record is None or not run.record_file.exists():
            return
        resumable = isinstance(error, KeyboardInterrupt | OSError | StorageError | RunError)
        if isinstance(error, Diverged) or not resumable:
            state = RunState.FAILED if record.attempts else RunState.INTERRUPTED
        else:
            state = RunState.INTERRUPTED
        record.end(state, str(error) or type(error).__name__)
        try:
            run.save(record)
        except TrainwrightError as second:  # the disk may be what failed in the first place
            self.progress.message(str(second))

    def _lap(self, name: str) -> None:
        moment = time.perf_counter()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + moment - self._begun, 4)
        self._begun = moment
