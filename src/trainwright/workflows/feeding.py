"""The sinks of a run while it trains, and afterwards for what they missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from trainwright.errors import RunError, TrainwrightError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunState

if TYPE_CHECKING:
    from trainwright.runs.sinks.process import SinkProcess

WAIT = 15.0
"""Seconds that a run waits at its end for sinks that are behind."""


class Feeding:
    """Feeds the sinks of a run from the moment on at which it begins, until the block is left.

    Args:
        run: The run directory.
        specs: Sinks of the recipe; none on processes other than the first.
        say: Told what a sink has not been given.
        wait: Seconds to wait at the end.
    """

    def __init__(
        self,
        run: RunDirectory,
        specs: Sequence[Mapping[str, Any]],
        say: Callable[[str], None],
        wait: float = WAIT,
    ) -> None:
        self.run, self.specs, self.say, self.wait = run, specs, say, wait
        self._process: SinkProcess | None = None

    def __enter__(self) -> Feeding:
        return self

    def begin(self) -> None:
        """Starts the process that feeds them. The run's record is written."""
        if self.specs:
            from trainwright.runs.sinks.process import SinkProcess

            self._process = SinkProcess(self.run, self.specs)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        try:
            complete = self._process.close(self.wait)
        finally:
            self._process.kill()
        if not complete:
            for line in what_is_behind(self.run, self.specs):
                self.say(line)


def what_is_behind(run: RunDirectory, specs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which sinks were not given everything, why, and what to do about it, in words."""
    from trainwright.runs.sinks.feeding import Fed, names_of

    told = []
    try:
        size, attempt = run.metrics_file.stat().st_size, run.record().attempt
    except (OSError, TrainwrightError):
        return []
    for name in names_of(specs):
        fed = Fed.read(run.path / "sinks" / f"{name}.json")
        if fed.error or fed.mark.offset < size or fed.finished != attempt:
            why = fed.error or "it was too slow"
            told.append(f"{name} lacks metrics of this run ({why}); later: trainwright runs sync {run.path}")
    return told


def sync(run: RunDirectory) -> list[str]:
    """Gives the sinks of a run what they lack, however long it takes.

    Returns:
        A line for each sink.

    Raises:
        RunError: The run is at work, or has no sinks, or one of them takes nothing.
    """
    from trainwright import recipe as recipes
    from trainwright.runs.sinks.feeding import follow, names_of, write_failures

    if run.state() is RunState.RUNNING:
        raise RunError("the run is at work, and feeds its sinks itself", where=str(run.path))
    specs = recipes.load(run.resolved).recipe.train.sinks
    if not specs:
        raise RunError("the run's recipe names no sinks", where=str(run.path), fix="train.sinks names them")
    followers = follow(run, specs)
    complete = [follower.close(1e6) for follower in followers]
    write_failures(followers)
    if not all(complete):
        raise RunError("\n".join(what_is_behind(run, specs)), where=str(run.path))
    return [f"{name} has everything" for name in names_of(specs)]
