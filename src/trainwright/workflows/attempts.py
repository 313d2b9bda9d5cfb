"""One process's attempts at a run: from where it stands to its end, through all roll-backs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from trainwright import log
from trainwright.allocator import give_back_freed_memory
from trainwright.data.types import PreparedData
from trainwright.engine.checkpoint import CheckpointStore, CheckpointWriter
from trainwright.engine.distributed import Processes
from trainwright.engine.garbage import only_new_garbage
from trainwright.engine.health.diverged import Diverged
from trainwright.engine.health.watch import Finding
from trainwright.engine.loop import Loop
from trainwright.engine.parts import Outcome, Parts
from trainwright.engine.signals import StopRequest
from trainwright.progress import ProgressSink
from trainwright.runs.atomic import remove_leftovers
from trainwright.runs.directory import RunDirectory
from trainwright.runs.events import append_event
from trainwright.runs.heartbeat import Heartbeat
from trainwright.runs.lowered_rate import turns_of
from trainwright.runs.record import RunRecord
from trainwright.runs.spool import Spool
from trainwright.workflows.failing_step import advice, advice_unfound, search
from trainwright.workflows.restoring import restore
from trainwright.workflows.rolling_back import keep_weights, roll_back, slow_down
from trainwright.workflows.run_files import (
    NoJournal,
    note_finding,
    note_progress,
    save_weights,
    status,
    write_data_report,
)
from trainwright.workflows.training import Watch

if TYPE_CHECKING:
    from trainwright.recipe.schema import Recipe

Agreed = TypeVar("Agreed")


class Agree(Protocol):
    """Lets the first process decide, and tells the others."""

    def __call__(self, call: Callable[[], Agreed]) -> Agreed: ...


@dataclass
class Attempts:
    """Trains a run.

    Attributes:
        recipe: Its recipe.
        run: Its directory; this process holds its lock.
        data: Prepared data.
        record: Its record on the first process, None on the others.
        progress: Who watches.
        processes: Those that train it.
        agree: Lets the first of them decide.
        build: Builds everything that the loop drives, with the weights of the start.
        begin: Called once, when the record says that the run is at work.
        watch: Asked after every epoch but the last.
        stop: Set by a signal.
    """

    recipe: Recipe
    run: RunDirectory
    data: PreparedData
    record: RunRecord | None
    progress: ProgressSink
    processes: Processes
    agree: Agree
    build: Callable[[], Parts]
    begin: Callable[[], None]
    watch: Watch | None
    stop: StopRequest
    _begun: bool = False

    def train(self, *, from_best: bool = False) -> tuple[Parts, Outcome]:
        """Trains to the end.

        Args:
            from_best: Start from the best weights with a new optimizer state.

        Raises:
            Diverged: The training went wrong, and the recipe wants no roll-back, or no more of them.
        """
        while True:
            parts = self._built()
            try:
                with only_new_garbage():
                    return parts, self._attempt(parts, from_best=from_best)
            except Diverged as error:
                # The traceback holds what was built, which is built anew.
                failure = error.with_traceback(None)
            del parts
            give_back_freed_memory()
            self._explain(failure)
            if not self._roll_back(failure):
                raise failure
            from_best = False

    def _built(self) -> Parts:
        parts = self.build()
        slow_down(parts, self.agree(lambda: turns_of(self.record) if self.record is not None else []))
        return parts

    def _roll_back(self, failure: Diverged) -> bool:
        record, health = self.record, self.recipe.train.health
        return self.agree(
            lambda: record is not None and roll_back(self.run, record, health, failure, self.progress.message)
        )

    def _explain(self, failure: Diverged) -> None:
        """Adds to a failure in which step, layer and samples it began; several processes cannot search."""
        record = self.record
        if failure.rule != "not_finite" or record is None or self.processes.size > 1:
            return
        self.progress.message(f"{failure.what}; taking the last steps again, to see where it began")
        parts = self._built()
        found = search(parts, self.run, failure, self.stop)
        if found is None:
            self.progress.message("where it began was not found")
            failure.fix = advice_unfound(failure.fix, parts.task)
            return
        failure.what = f"{failure.what}, {found.told(self.data.names)}"
        failure.fix = advice(found, failure.fix, parts.task)
        policy = self.recipe.train.health.not_finite
        finding = Finding(failure.step, failure.rule, failure.what, policy, found.step)
        note_finding(self.run, record.attempt, finding, self.progress.message)

    def _attempt(self, parts: Parts, *, from_best: bool) -> Outcome:
        """From the last checkpoint to the end, or to where it goes wrong."""
        store = CheckpointStore(self.run.checkpoints, keep_regular=self.recipe.train.health.rolls_back)
        if self.record is not None:
            return self._recorded(parts, self.record, store, from_best=from_best)
        loop = Loop(parts, NoJournal(), self.progress, None, lambda: None, self.stop)
        loop.on_finding = lambda _: None
        restored = self._restore(loop, store, from_best=from_best)
        return self._run(loop, restored=restored)

    def _recorded(
        self, parts: Parts, record: RunRecord, store: CheckpointStore, *, from_best: bool
    ) -> Outcome:
        """The same on the process that writes."""
        run, data = self.run, self.data
        remove_leftovers(run.path)
        spool = Spool(run.metrics_file, attempt=record.attempt + 1)
        writer = CheckpointWriter(store, before_commit=spool.flush)
        self.progress.watch(spool.latest)
        loop = Loop(parts, spool, self.progress, writer, lambda: save_weights(run.best, parts), self.stop)
        self._listen(loop, record)
        restored = self._restore(loop, store, from_best=from_best)
        if record.attempts and not restored and not record.parents:
            log.logger.warning("%s holds no checkpoint: training starts over", run.checkpoints)
        record.begin(from_step=loop.position.step)
        run.save(record)
        if not self._begun:
            self.begin()
            self._begun = True
        beat = Heartbeat(run.heartbeat, lambda: status(loop, parts))
        with ExitStack() as closing:
            for part in (spool.close, writer.close, beat.stop):
                closing.callback(part)
            if data.substitutes is not None:
                # Whatever ends the training, what became unreadable in it is written down.
                closing.callback(write_data_report, run, data)
            beat.start()
            outcome = self._run(loop, restored=restored)
            writer.flush()
            spool.flush()
        note_progress(run, record, parts, outcome)
        return outcome

    def _listen(self, loop: Loop, record: RunRecord) -> None:
        """What the loop calls besides."""
        run, parts, say = self.run, loop.parts, self.progress.message
        loop.on_finding = lambda found: note_finding(run, record.attempt, found, say)
        loop.keep_as = lambda label: save_weights(run.weights / f"{label}.safetensors", parts)
        loop.on_epoch = lambda times: append_event(
            run.ledger, loop.position.step, record.attempt, times.as_json()
        )
        if self.recipe.train.health.rolls_back:
            loop.saving.before_regular = lambda step: keep_weights(run, step)
        if (watch := self.watch) is not None:
            loop.watch = lambda metrics: watch(run, loop.position.epoch, loop.position.step, metrics)

    def _run(self, loop: Loop, *, restored: bool) -> Outcome:
        if self.recipe.train.health.rolls_back and not restored:
            loop.save_beginning()
        return loop.run()

    def _restore(self, loop: Loop, store: CheckpointStore, *, from_best: bool) -> bool:
        """Puts the loop where the last checkpoint stands; tells whether there was one."""
        found = self.agree(lambda: store.read_latest(log.logger.warning))
        restore(loop, self.run, found, self.progress.message, from_best=from_best)
        return found is not None
