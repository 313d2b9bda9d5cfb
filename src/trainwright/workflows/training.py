"""From a recipe to a trained, evaluated and reported run."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from trainwright import log
from trainwright import recipe as recipes
from trainwright.allocator import keep_freed_memory
from trainwright.data.prepare import prepare
from trainwright.data.types import PreparedData
from trainwright.errors import DataError, RunError, StorageError, UserError, closest
from trainwright.locations import cache_dir
from trainwright.progress import NoProgress, ProgressSink
from trainwright.registry.user_code import kept_running
from trainwright.runs.directory import RunDirectory
from trainwright.runs.environment import environment
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.second_start import Action, Decision, decide
from trainwright.workflows import gate
from trainwright.workflows.impossible_batch import refuse_impossible
from trainwright.workflows.trainable import refuse_untrainable

if TYPE_CHECKING:
    from trainwright.data.checks.finding import Findings
    from trainwright.recipe import LoadedRecipe
    from trainwright.recipe.schema import Recipe

Result = TypeVar("Result")
Watch = Callable[[RunDirectory, int, int, dict[str, float]], str | None]
"""Asked between two epochs with the run, the epochs and steps done, and the metrics of the last epoch (empty
right after a resume); gives the reason why the run is to end there, as interrupted, or None."""


@dataclass
class RunResult:
    """How a call of `train` or `resume` ended.

    Attributes:
        path: The run directory.
        state: `done` or `interrupted`.
        reason: In words.
        metrics: Split -> metrics of the best weights; empty when interrupted.
        messages: What the user should know, in order.
        repeated: The run was done before, nothing was trained.
    """

    path: Path
    state: str
    reason: str
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    repeated: bool = False


@dataclass(frozen=True)
class Beginning:
    """What a run begins with beside its recipe and its data; nothing, for most.

    Attributes:
        content: Digests that make the run another one, by field of its identity.
        parents: Kept in the run's record.
        prepare: Puts what is needed into the new run's directory, before its record is written.
    """

    content: Mapping[str, str] = field(default_factory=dict)
    parents: Sequence[dict[str, Any]] = ()
    prepare: Callable[[RunDirectory], None] = lambda _run: None


class Background(Generic[Result]):
    """A call on a thread of its own; `result` waits for it and raises what it raised."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._value: Result | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], Result]) -> None:
        try:
            with kept_running():
                self._value = call()
        except BaseException as error:
            self._error = error

    def result(self) -> Result:
        """What the call gave."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


def load_data(
    loaded: LoadedRecipe,
    progress: ProgressSink,
    *,
    data: Any = None,
    fitted: Mapping[str, Any] | None = None,
    whole: str | None = None,
) -> PreparedData:
    """Reads, fits and decodes the recipe's data, through the caches.

    Args:
        loaded: The recipe.
        progress: Told how many bytes are hashed and how many samples are decoded.
        data: In-memory data in place of the recipe's source.
        fitted: Processors of a trained run by column, to be used as they are.
        whole: Split that takes all rows, instead of dividing them.
    """
    return prepare(
        loaded.recipe.data,
        cache_dir=cache_dir(),
        workers=loaded.recipe.data.workers,
        progress=lambda stage, done, total: progress.data(done, total, stage),
        memory_data=data,
        seed=loaded.recipe.train.seed,
        processors=fitted,
        whole=whole,
        before_decoding=None if whole or fitted else partial(refuse_impossible, loaded.recipe),
    )


def train(
    recipe: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    data: Any = None,
    runs_dir: str | Path = "runs",
    fresh: bool = False,
    progress: ProgressSink | None = None,
    watch: Watch | None = None,
) -> RunResult:
    """Trains a recipe, or goes on with what there is of it already.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: Key path -> value, or `a.b=value` strings.
        data: `(X, y)`, a DataFrame or a Dataset in place of the recipe's source.
        runs_dir: Where run directories are made.
        fresh: Repeat a run that is done, or start anew beside one that failed.
        progress: A sink such as the command line's progress bar.
        watch: Asked after every epoch but the last; a reason that it gives ends the run there, resumable.

    Raises:
        UserError: The recipe, the data or the model cannot work; nothing was trained.
        RunError: The run is alive elsewhere, or failed before.
    """
    progress = progress or NoProgress()
    return train_loaded(
        recipes.load(recipe, overrides),
        progress,
        lambda loaded: load_data(loaded, progress, data=data),
        runs_dir=runs_dir,
        fresh=fresh,
        watch=watch,
    )


def train_loaded(
    loaded: LoadedRecipe,
    progress: ProgressSink,
    read: Callable[[LoadedRecipe], PreparedData],
    *,
    runs_dir: str | Path,
    fresh: bool = False,
    watch: Watch | None = None,
    begin: Callable[[PreparedData], Beginning] = lambda _: Beginning(),
) -> RunResult:
    """Trains a recipe that is loaded, see `train`.

    Args:
        loaded: The recipe.
        progress: Who watches.
        read: Prepares the recipe's data; called on a thread while torch is imported.
        runs_dir: Where run directories are made.
        fresh: Repeat a run that is done, or start anew beside one that failed.
        watch: See `train`.
        begin: Asked, when the data are there, what the run begins with beside its recipe.
    """
    with recipes.located(loaded):
        refuse_untrainable(loaded.recipe)
    preparing = Background(lambda: _checked_data(loaded, read))
    keep_freed_memory()
    # Imports torch: its seconds of import pass while workers decode the data.
    from trainwright.workflows.session import Session

    with recipes.located(loaded), Session(loaded, progress, watch) as session:
        prepared, findings = preparing.result()
        check_report_splits(loaded.recipe, prepared)
        beginning = begin(prepared)
        decision = session.agree(lambda: _decide(loaded, prepared, beginning, runs_dir, fresh))
        messages = [*loaded.notices, *prepared.notices, *gate.told(findings), *decision.messages]
        if decision.action is Action.DONE:
            return _already_done(decision.run, messages)
        try:
            session.agree(lambda: gate.refuse_errors(loaded.recipe.data, findings))
            record = _record(loaded, prepared, decision, beginning) if session.processes.is_first else None
            with _log_of(decision.run, record), _writing(decision, prepared, findings, record):
                for message in messages:
                    progress.message(message)
                outcome = session.run(decision.run, prepared, record)
        except UserError:
            if decision.action is Action.START and session.processes.is_first:
                _discard_unbegun(decision.run)
            raise
        finally:
            decision.run.lock.release()
        outcome.messages = messages + outcome.messages
        return outcome


def resume(
    path: str | Path,
    *,
    from_: str = "last",
    progress: ProgressSink | None = None,
    data: Any = None,
    overrides: Sequence[str] = (),
) -> RunResult:
    """Goes on with an interrupted run exactly where its last checkpoint stands.

    Args:
        path: The run directory.
        from_: `last` for the exact state; `best` for the best weights with a new optimizer state, which
            is how a diverged run is saved.
        progress: A sink such as the command line's progress bar.
        data: In-memory data, when the run was trained on such.
        overrides: Where to train on, such as `train.device=cpu`; the run's recipe stays as it is.

    Raises:
        RunError: There is no such run, it is done, alive, or its data changed.
    """
    progress = progress or NoProgress()
    run = RunDirectory.open(path)
    record = run.record()
    if record.state is RunState.DONE:
        return _already_done(run, [f"{run.path} is done already; nothing is left to resume"])
    loaded = recipes.load(run.resolved, overrides)
    preparing = Background(lambda: load_data(loaded, progress, data=data))
    keep_freed_memory()
    # Imports torch: see `train`.
    from trainwright.workflows.session import Session

    with recipes.located(loaded), Session(loaded, progress) as session:
        prepared = preparing.result()
        _check_same_data(record, prepared, run)
        session.agree(lambda: run.acquire() and None)
        try:
            kept = run.record() if session.processes.is_first else None
            with _log_of(run, kept):
                return session.run(run, prepared, kept, from_best=from_ == "best")
        finally:
            run.lock.release()


def _checked_data(
    loaded: LoadedRecipe, read: Callable[[LoadedRecipe], PreparedData]
) -> tuple[PreparedData, Findings | None]:
    """The recipe's data, and what the first process finds wrong with them."""
    prepared = read(loaded)
    is_first = os.environ.get("RANK", "0") == "0"
    return prepared, gate.quick_check(loaded.recipe.data, prepared) if is_first else None


@contextmanager
def _writing(
    decision: Decision, prepared: PreparedData, findings: Findings | None, record: RunRecord | None
) -> Iterator[None]:
    """Writes what was found into a new run, while the training begins."""
    if record is None or findings is None or decision.action is Action.RESUME:
        yield
        return
    writing = Background(lambda: gate.write_findings(decision.run.data, prepared, findings, decision.run.id))
    try:
        yield
    finally:
        try:
            writing.result()  # also before a run that failed is removed
        except StorageError as error:
            log.logger.warning("what is wrong with the data could not be written: %s", error)


def _log_of(run: RunDirectory, record: RunRecord | None) -> AbstractContextManager[None]:
    """The run's `log.txt`, written by the process that has its record."""
    return log.to_file(run.log) if record is not None else nullcontext()


def check_report_splits(recipe: Recipe, data: PreparedData) -> None:
    """Raises DataError where the recipe asks for the score of a split that the data do not have."""
    there = [name for name, rows in data.splits.items() if len(rows)]
    for split in recipe.report.splits or ():
        if split not in there:
            guess = closest(split, there)
            raise DataError(
                f"the data have no split {split!r}",
                where="report.splits",
                fix=f"did you mean {guess!r}?" if guess else f"use one of: {', '.join(there)}",
            )


def _discard_unbegun(run: RunDirectory) -> None:
    """Removes a run in which no step was taken; its lock is held, so nobody else is at work on it."""
    if not (run.record_file.exists() and run.record().attempts):
        shutil.rmtree(run.path, ignore_errors=True)


def _check_same_data(record: RunRecord, prepared: PreparedData, run: RunDirectory) -> None:
    before = record.data.get("fingerprint")
    if before and before != prepared.fingerprint:
        raise RunError(
            "the data changed since the run was started, so it cannot be resumed exactly",
            where=str(run.path),
            why=f"fingerprint {prepared.fingerprint[:12]} now, {before[:12]} then",
            fix="put the data back, or train the recipe anew on the changed data",
        )
    rows, then = sorted({item.row for item in prepared.dropped}), record.data.get("dropped")
    if then is not None and rows != then:
        raise RunError(
            f"{len(rows)} samples cannot be read now, when the run was started {len(then)} could not",
            where=str(run.path),
            why="the same steps need the same samples",
            fix=f"bring the files back as they were (see {run.data / 'dropped.csv'}), or train anew",
        )


def _decide(
    loaded: LoadedRecipe, prepared: PreparedData, beginning: Beginning, runs_dir: str | Path, fresh: bool
) -> Decision:
    identity = recipes.identity(loaded, prepared.fingerprint, **beginning.content)
    return decide(
        runs_dir,
        loaded.recipe.name,
        identity.salt,
        resolved=loaded.resolved,
        digest=identity.digest,
        fingerprint=prepared.fingerprint,
        fresh=fresh,
    )


def _record(
    loaded: LoadedRecipe, prepared: PreparedData, decision: Decision, beginning: Beginning
) -> RunRecord:
    """The run's record: the one that is there, or a new one, written with the recipe."""
    if decision.action is Action.RESUME:
        return decision.run.record()
    identity = recipes.identity(loaded, prepared.fingerprint, **beginning.content)
    found = environment()
    record = RunRecord(
        name=loaded.recipe.name,
        salt=identity.salt,
        digest=identity.digest,
        parts=identity.parts,
        seeds={"train": loaded.recipe.train.seed},
        data={
            "fingerprint": prepared.fingerprint,
            "sizes": {name: len(rows) for name, rows in prepared.splits.items()},
            "dropped": sorted({item.row for item in prepared.dropped}),
        },
        packages=found["packages"],
        git=found["git"],
        hardware=found["hardware"],
        command=found["command"],
        parents=list(beginning.parents),
    )
    beginning.prepare(decision.run)
    decision.run.create(record, as_given=loaded.as_given, resolved=loaded.dump_resolved())
    return record


def _already_done(run: RunDirectory, messages: list[str]) -> RunResult:
    from trainwright.workflows.results import read_metrics_of

    return RunResult(run.path, "done", "done already", read_metrics_of(run), messages, repeated=True)
