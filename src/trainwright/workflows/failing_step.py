"""Where a training began to give numbers that are none: its last steps, taken again."""

from __future__ import annotations

from trainwright.engine.checkpoint import CheckpointStore
from trainwright.engine.health.diverged import Diverged
from trainwright.engine.health.failing_step import FailingStep, Search
from trainwright.engine.parts import Parts
from trainwright.engine.signals import StopRequest
from trainwright.progress import NoProgress
from trainwright.runs.directory import RunDirectory
from trainwright.tasks.base import Task
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


def advice(found: FailingStep, usual: str, task: Task) -> str:
    """What to do about it.

    Args:
        found: Where it began.
        usual: What helps where weights have grown out of bounds.
        task: Knows who has a loss of its own.
    """
    if found.kind == "input":
        return "mend or leave out these samples; `trainwright data check` looks for others"
    if found.kind != "loss":
        return usual
    target = found.part.split("/")[0] if "/" in found.part else ""
    method = task.loss_method(target)
    return (
        f"look at {method}: what it reads was finite, so keep arguments of log, sqrt and divisions in it "
        f"away from 0, for example with .clamp(min=1e-6); or {usual}"
    )


def advice_unfound(usual: str, task: Task) -> str:
    """What to do where nobody knows where it began: a loss of the user's own may have done it.

    Args:
        usual: What helps where weights have grown out of bounds.
        task: Knows who has a loss of its own.
    """
    method = task.loss_method()
    return f"{usual}; or look at {method}" if ":" in method else usual


def _unheard(_text: str) -> None:
    """What is told of the checkpoint was told at the start."""
