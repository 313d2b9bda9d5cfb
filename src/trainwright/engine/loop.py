"""The one training loop, for every family of tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from trainwright.data.batch import Batch
from trainwright.engine.averages import Averages, Sums, means
from trainwright.engine.callbacks.base import Event, Mode
from trainwright.engine.checkpoint import CheckpointWriter
from trainwright.engine.distributed import PerProcess
from trainwright.engine.evaluation import run_split
from trainwright.engine.generators import seed_generators
from trainwright.engine.health.diverged import Diverged, refuse_not_finite
from trainwright.engine.health.watch import Finding, HealthWatch
from trainwright.engine.ledger import EpochTimes, Ledger
from trainwright.engine.parts import Journal, Outcome, Parts
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.engine.position import Clock, Position
from trainwright.engine.saving import Saving
from trainwright.engine.signals import StopRequest
from trainwright.engine.state import State
from trainwright.engine.stopwatch import Stopwatch
from trainwright.errors import TrainwrightError
from trainwright.models.penalties import projections
from trainwright.progress import ProgressSink
from trainwright.tasks.base import StepOutput


class Loop:
    """Drives the parts until the budget is spent, patience ends or someone asks to stop.

    Args:
        parts: What to drive.
        journal: Takes metrics.
        progress: Is told how far it is.
        writer: Takes checkpoints; None on processes other than the first.
        keep_best: Called when the monitored metric is the best so far, with the weights to keep applied.
        stop: Set by a signal.
    """

    def __init__(
        self,
        parts: Parts,
        journal: Journal,
        progress: ProgressSink,
        writer: CheckpointWriter | None,
        keep_best: Callable[[], None],
        stop: StopRequest,
    ) -> None:
        self.parts, self.journal, self.progress = parts, journal, progress
        self.writer, self.keep_best, self.stop = writer, keep_best, stop
        self.position, self.clock = Position(), Clock()
        self.averages = Averages()
        self.metrics: dict[str, float] = {}
        self.keep_as: Callable[[str], None] = lambda _label: None
        self.on_finding: Callable[[Finding], None] = lambda found: progress.message(found.text)
        self.on_epoch: Callable[[EpochTimes], None] = lambda _times: None
        self.watch: Callable[[dict[str, float]], str | None] = lambda _metrics: None
        self.state = self._register()
        self.saving = Saving(parts, self.state, writer, self.position, self.averages)
        self._stopping = False
        self._steady = Stopwatch()
        self._ledger = Ledger(parts.train_loader, parts.runtime.device)
        self._projections = projections(parts.model)
        self._has_buffers = next(iter(parts.model.buffers()), None) is not None

    def _register(self) -> State:
        state, parts = State(), self.parts
        state.register("model", parts.model)
        for runner in parts.runners:
            state.register(f"optimizer.{runner.phase.name}", runner.named)
            state.register(f"schedule.{runner.phase.name}", runner.schedule)
            if runner.scaler is not None:
                state.register(f"scaler.{runner.phase.name}", runner.scaler)
        for name, part in (("ema", parts.ema), ("best", parts.best), ("early_stop", parts.early_stop)):
            if part is not None:
                state.register(name, part)
        state.register("position", self.position)
        state.register("clock", self.clock)
        state.register("averages", PerProcess(self.averages, parts.processes))
        if parts.substitutes is not None:
            state.register("substitutes", PerProcess(parts.substitutes, parts.processes))
        if parts.samples is not None:
            state.register("samples", PerProcess(parts.samples, parts.processes))
        if parts.health is not None:
            state.register("health", parts.health)
        if parts.callbacks is not None:
            state.register("callbacks", parts.callbacks)
        for name, part in parts.task.stateful():
            state.register(f"task.{name}", part)
        return state

    def run(self) -> Outcome:
        """Trains from the present position to the end.

        Raises:
            Diverged: The loss became infinite or NaN, or a rule of health asks for a roll-back.
            RunError: A checkpoint could not be written.
        """
        parts = self.parts
        parts.model.train()
        self.progress.start(parts.budget.total_steps, parts.train_loader.steps_per_epoch, self._global_batch)
        self.progress.step(self.position.step)
        # A run that was killed between its last step and the evaluation after it has that still to do.
        while self.position.is_open or self._end_reason() is None:
            reason = self._asked_to_end() or self._epoch()
            if reason is not None:
                return self._outcome("interrupted", reason)
        return self._outcome("done", self._end_reason() or "")

    def _asked_to_end(self) -> str | None:
        """What `watch` says between two epochs, also of those before a resume: a reason to end here."""
        at = self.position
        return None if at.is_open or at.step == 0 else self.watch(self.metrics)

    @property
    def _global_batch(self) -> int:
        return self.parts.train_loader.batch_size

    def _end_reason(self) -> str | None:
        parts = self.parts
        if parts.early_stop is not None and parts.early_stop.exhausted:
            watched = parts.early_stop
            return f"{watched.name} has not improved for {watched.waited} evaluations"
        return self._spent()

    def _spent(self) -> str | None:
        """Which limit is reached; with minutes, the first process's clock decides for all."""
        callbacks, health = self.parts.callbacks, self.parts.health
        if callbacks is not None and callbacks.stopped:
            return callbacks.stopped
        if health is not None and health.stopped:
            return health.stopped
        budget = self.parts.budget
        reason = budget.spent(self.position.step, self.clock)
        return self.parts.processes.broadcast(reason) if budget.minutes is not None else reason

    def _epoch(self) -> str | None:
        """The rest of the present epoch; a reason when it was interrupted."""
        parts, position = self.parts, self.position
        loader, processes = parts.train_loader, parts.processes
        batches = loader.batches(
            position.epoch,
            position.index,
            part=(processes.rank, processes.size),
            micro=parts.runtime.execution.micro_batch,
        )
        if not position.index:
            self._tell("start", "train", {})
        self._ledger.begin()
        self._steady.start()
        for micro_batches in batches:
            if self._spent():
                break
            count = min(loader.batch_size, len(loader.rows) - position.index * loader.batch_size)
            self._step(micro_batches, count)
            position.advance()
            self._steady.lap()
            self.progress.step(position.step)
            if position.step % parts.log_every == 0:
                self._log_window()
            if parts.health is not None and parts.health.due(position.step):
                self._read_health(parts.health)
            if self._stopping:
                self._save(regular=False)
                return "stopped on request"
            if (regular := self.saving.due_by_steps) or self.saving.due_by_time:
                self._steady.pause()
                self._save(regular=regular)
                self._steady.start()
        self._steady.pause()
        self._finish_epoch()
        return None

    def _step(self, micro_batches: list[Batch], count: int) -> None:
        """One optimizer step of every phase over one global batch of `count` samples."""
        parts, step, health = self.parts, self.position.step, self.parts.health
        mark = self._ledger.marker()
        stop, agreed = bool(self.stop), parts.processes.size == 1
        for number, runner in enumerate(parts.runners):
            if step % runner.phase.every:
                continue
            if len(parts.runners) > 1:
                self._focus(runner)
            runner.begin(step)
            for micro, batch in enumerate(micro_batches):
                seed_generators(parts.seed, step, number, micro, parts.processes.rank)
                with parts.runtime.autocast():
                    output = parts.task.training_step(parts.forward, batch, runner.phase)
                size = len(batch)
                if mark is not None:
                    mark("forward")
                runner.backward(output.loss, size, count)
                if mark is not None:
                    mark("backward")
                self._record(runner, output, batch)
            stop, agreed = parts.processes.sum_gradients(runner.parameters, stop), True
            runner.apply(step, read_norms=health is not None and health.wants_norms(runner.phase.name, step))
            for project in self._projections:
                project()
            if mark is not None:
                mark("optimizer")
        if self._has_buffers:
            parts.processes.share_buffers(parts.model)
        if parts.ema is not None:
            parts.ema.update()
        self._stopping = stop and agreed

    def _focus(self, runner: PhaseRunner) -> None:
        """Only the phase's own parameters collect gradients; the other networks just pass them on."""
        for other in self.parts.runners:
            for parameter in other.parameters:
                parameter.requires_grad_(False)
        for parameter in runner.parameters:
            parameter.requires_grad_(True)

    def _record(self, runner: PhaseRunner, output: StepOutput, batch: Batch) -> None:
        size = len(batch)
        prefix = "" if len(self.parts.runners) == 1 else f"{runner.phase.name}_"
        loss = output.loss.detach()
        if self.parts.samples is not None:
            self.parts.samples.add(batch.ids, loss)
        self.averages.add(f"{prefix}loss", loss.sum() if loss.dim() else loss * size, size)
        for name, value in output.logs.items():
            self.averages.add(prefix + name, value, size)

    def _log_window(self) -> None:
        """Writes the means since the last record."""
        sums = self.parts.processes.sum_pairs(self.averages.sums())  # the device is waited for here
        if sums:
            with self._ledger.spent("recording"):
                self._write_window(sums)

    def _write_window(self, sums: Sums) -> None:
        values = {f"step/{name}": value for name, value in means(sums).items()}
        self.averages.next_stretch()
        values["step/lr"] = self.parts.runners[0].learning_rate
        self.journal.log(self.position.step, self.position.epoch, values)
        self._tell("during", "train", values)
        refuse_not_finite(values, self.position.step)

    def _read_health(self, health: HealthWatch) -> None:
        """Writes the gradients' norms, and does what the rules of health say."""
        at = self.position
        sums = self.parts.processes.sum_pairs(self.averages.epoch_sums())
        with self._ledger.spent("recording"):
            record, found = health.reading(at.step, sums)
            if record:
                self.journal.log(at.step, at.epoch, record)
            self._act(found)

    def _act(self, found: list[Finding]) -> None:
        """Does what the recipe wants done about what the rules found."""
        for finding in found:
            self.on_finding(finding)
            if finding.policy == "roll_back":
                raise Diverged(finding.text, rule=finding.rule, step=finding.step, since=finding.since)
            if finding.policy == "stop" and self.parts.health is not None:
                self.parts.health.stopped = finding.text

    def _finish_epoch(self) -> None:
        parts, position = self.parts, self.position
        self._log_window()
        sums = parts.processes.sum_pairs(self.averages.epoch_sums())
        values = {f"train/{name}": value for name, value in means(sums).items()}
        values["lr"] = parts.runners[0].learning_rate
        self._tell("end", "train", values)
        last = self._spent() is not None
        if last or (position.epoch + 1) % parts.evaluate_every == 0:
            with self._ledger.spent("evaluation"), self._kept_steps():
                values.update(self._evaluate(values))
        self.metrics = values
        if parts.health is not None:
            # Each process has scored other samples; all must come to the same end.
            dead = parts.processes.broadcast(parts.health.shares())
            self._act(parts.health.epoch(position.step, values.get("train/loss"), dead))
        self.journal.log(position.step, position.epoch, values)
        self.progress.epoch(position.epoch + 1, values)
        self.averages.next_epoch()
        self.on_epoch(self._ledger.end(position.epoch + 1, self.clock.seconds))
        position.close_epoch(parts.train_loader.steps_per_epoch)
        self._save(regular=True)

    @contextmanager
    def _kept_steps(self) -> Iterator[None]:
        """Within it, what fails costs none of the steps that were taken: they are saved first."""
        try:
            yield
        except Exception:
            self._save(regular=False)
            raise

    def _evaluate(self, train_values: dict[str, float]) -> dict[str, float]:
        """Scores the validation split, and updates everything that watches a metric."""
        parts = self.parts
        values: dict[str, float] = {}
        if parts.ema is not None:
            with parts.ema.applied():
                values = self._score()
                self._observe({**train_values, **values})
        else:
            values = self._score()
            self._observe({**train_values, **values})
        return values

    def _score(self) -> dict[str, float]:
        parts = self.parts
        self._tell("start", "val", {})
        if parts.val_loader is None:
            return {}
        with parts.health.scoring() if parts.health is not None else nullcontext():
            split = run_split(
                parts.task, parts.model, parts.val_loader, parts.runtime, parts.processes, parts.seed
            )
        return {f"val/{name}": v for name, v in parts.task.score(split.outputs, split.targets).items()}

    def _observe(self, values: dict[str, float]) -> None:
        parts, step = self.parts, self.position.step
        if parts.best is not None and parts.best.observe(_pick(values, parts.best.name), step):
            with self._ledger.spent("saving"):
                self.keep_best()
            saved = {f"saved/{parts.best.name}": values[parts.best.name]}
            self.journal.log(step, self.position.epoch, saved)
            self._tell("save", "val", values)
        if parts.early_stop is not None:
            parts.early_stop.observe(_pick(values, parts.early_stop.name), step)
        for runner in parts.runners:
            watched = getattr(runner.schedule, "monitor", None)
            if watched is not None:
                runner.schedule.observe(_pick(values, watched))
        self._tell("end", "val", values, averaged=True)

    def _tell(self, event: Event, mode: Mode, logs: dict[str, float], *, averaged: bool = False) -> None:
        """Calls the callbacks, and does what they ask for; they see the same on every process."""
        parts, at = self.parts, self.position
        if parts.callbacks is None:
            return
        labels, reason = parts.callbacks.call(event, mode, at.epoch, at.step, logs)
        labels, reason = parts.processes.broadcast((labels, reason))
        parts.callbacks.stopped = parts.callbacks.stopped or reason
        for label in labels if event != "save" else ():
            with nullcontext() if averaged or parts.ema is None else parts.ema.applied():
                self.keep_as(label)
            self._tell("save", mode, logs)

    def save_beginning(self) -> None:
        """Saves the state before the first step, for a roll-back to it."""
        self._save(regular=True)

    def _save(self, *, regular: bool) -> None:
        with self._ledger.spent("saving"):
            self.saving.save(regular=regular)

    def _outcome(self, state: str, reason: str) -> Outcome:
        at, steady = self.position, self._steady
        timing = (steady.seconds, steady.laps, steady.first_at)
        return Outcome(state, reason, at.step, at.epoch, self.metrics, *timing)


def _pick(values: dict[str, float], name: str) -> float:
    if name in values:
        return values[name]
    raise TrainwrightError(
        f"the monitored metric {name!r} is not computed",
        fix="use one of " + ", ".join(sorted(values)),
    )
