"""Where a training began to give numbers that are none: its last steps, taken again."""

from __future__ import annotations

from trainwright.engine.checkpoint import CheckpointStore
from trainwright.engine.health.diverged import Diverged
from trainwright.engine.health.failing_step import FailingStep, Search
from trainwright.engine.parts import Parts
from trainwright.engine.signals import StopRequest
from trainwright.progress import NoProgress
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.restoring import restore
from trainwright.workflows.run_files import NoJournal


def search(parts: Parts, run: RunDirectory, failure: Diverged, stop: StopRequest) -> FailingStep | None:
    """Takes the steps behind the last checkpoint again, and names step, layer and samples.

    Args:
        parts: Built for this alone.
        run: The run; nothing writes to it meanwhile.
        failure: What was noticed.
        stop: Ends the search.
    """
    loop = Search(parts, NoJournal(), NoProgress(), None, lambda: None, StopRequest())
    restore(loop, run, CheckpointStore(run.checkpoints).read_latest(_unheard), _unheard)
    # The losses up to the record before were finite.
    first = failure.step - parts.log_every - 1
    return loop.find(failure.step, first=first, stop=lambda: bool(stop))


def _unheard(_text: str) -> None:
    """What is told of the checkpoint was told at the start."""
