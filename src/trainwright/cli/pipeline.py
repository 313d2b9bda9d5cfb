"""Make what a file of stages describes: data, trainings, evaluations, reports, each once.

trainwright pipeline FILE                  make every stage that is not done; start again to go on
trainwright pipeline FILE --jobs 2         two stages at a time, each with its share of the threads
trainwright pipeline FILE --only train     one stage, with what it lacks
trainwright pipeline FILE --force report   one stage anew, and what its new output changes
trainwright pipeline check FILE            check the file, and tell which stages would be made
trainwright pipeline show FILE             how every stage stands, and why

A stage is recognised by its salt: what it does, its parameters, the content that it reads and the salts of
the stages that it builds on. Ctrl-C saves and stops, a second one stops at once; then a new start goes on.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from trainwright.cli.common import add_runs_dir, say, say_json, table, tell

if TYPE_CHECKING:
    from trainwright.workflows.pipeline.coordinator import PipelineResult
    from trainwright.workflows.pipeline.planning import Plan, StageStatus

ACTIONS = ("show", "check")
_INTERRUPTED = 130
_DEFAULT = "pipelines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("words", metavar="FILE | ACTION FILE", nargs="+", help="see above")
    add_runs_dir(parser)
    parser.add_argument(
        "--pipelines-dir",
        metavar="DIR",
        default=os.environ.get("TRAINWRIGHT_PIPELINES", _DEFAULT),
        help="where outputs of stages live [TRAINWRIGHT_PIPELINES, else ./pipelines]",
    )
    parser.add_argument("--jobs", metavar="K", type=int, default=1, help="stages at a time [1]")
    parser.add_argument(
        "--only", metavar="STAGE", action="append", default=[], help="make this one, with what it lacks"
    )
    parser.add_argument(
        "--force", metavar="STAGE", action="append", default=[], help="make this one anew though it is done"
    )
    parser.add_argument("--json", action="store_true", help="machine output of show and check")
    parser.add_argument("--quiet", action="store_true", help="no lines while it works")


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the actions."""
    from trainwright.cli.parsing import UsageError
    from trainwright.workflows.pipeline.opening import known_stages, open_pipeline

    if arguments.jobs < 1:
        raise UsageError(f"--jobs {arguments.jobs} is less than 1", fix="give a whole number >= 1")
    action, words = "run", list(arguments.words)
    if words[0] in ACTIONS and len(words) > 1:
        action = words.pop(0)
    if len(words) != 1:
        raise UsageError(f"{words[1]!r} is one word too many", fix="trainwright pipeline [show|check] FILE")
    plan = open_pipeline(words[0], runs_dir=arguments.runs_dir, pipelines_dir=arguments.pipelines_dir)
    for notice in _notices(plan):
        tell(notice)
    if action != "run":
        _show(plan.statuses(), as_json=arguments.json)
        return 0
    known_stages(plan, arguments.only, "--only")
    known_stages(plan, arguments.force, "--force")
    return _work(plan, words[0], arguments)


def _notices(plan: Plan) -> list[str]:
    lines = [f"{name}: {text}" for name, item in plan.stages.items() for text in item.notices]
    return [*plan.pipeline.notices, *lines]


def _work(plan: Plan, file: str, arguments: argparse.Namespace) -> int:
    from trainwright.engine.signals import stop_on_signals
    from trainwright.workflows.pipeline.coordinator import Coordinator

    width = max(map(len, plan.stages))

    def told(stage: str, line: str) -> None:
        if not arguments.quiet:
            for part in line.splitlines():
                tell(f"{stage:<{width}}  {part}")

    again = f"trainwright pipeline {file}"
    with stop_on_signals(lambda _text: tell("saving the stages that run"), lambda: f"go on: {again}") as stop:
        result = Coordinator(
            plan,
            runs_dir=arguments.runs_dir,
            only=arguments.only,
            force=arguments.force,
            jobs=arguments.jobs,
            say=told,
            stop=stop,
        ).run()
    _show(plan.statuses(), as_json=arguments.json)
    return _outcome(result, again)


def _outcome(result: PipelineResult, again: str) -> int:
    """Says what there is to do, and gives the exit code."""
    if result.finished:
        return 0
    if result.reason:
        tell(f"{result.reason}; go on with: {again}")
        return _INTERRUPTED
    for name, reason in result.failed.items():
        tell(f"stage {name} failed: {reason}")
    tell(f"what is done stays done; when it is mended: {again}")
    return 1


def _show(statuses: list[StageStatus], *, as_json: bool) -> None:
    if as_json:
        say_json([status.as_json() for status in statuses])
        return
    rows = [[s.stage, s.component, str(s.state), s.salt, _steps(s), _seconds(s), _said(s)] for s in statuses]
    say(table(["stage", "does", "state", "salt", "steps", "seconds", "output, or why not"], rows))


def _steps(status: StageStatus) -> str | None:
    if status.step is None:
        return None
    return f"{status.step}/{status.total_steps}" if status.total_steps else str(status.step)


def _seconds(status: StageStatus) -> float | None:
    return round(status.seconds, 1) if status.seconds else None


def _said(status: StageStatus) -> str:
    if status.output is None:
        return status.reason.splitlines()[0] if status.reason else ""
    return os.path.relpath(status.output)
