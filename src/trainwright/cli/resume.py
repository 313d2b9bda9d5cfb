"""Go on with a run that was interrupted or failed. A run that is done stays as it is.

The run keeps its recipe and its pinned execution; its weights end as if it had never stopped.
"""

from __future__ import annotations

import argparse

from trainwright.cli.common import add_device, add_index, add_runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs(parser, many=False)
    add_index(parser)
    add_device(parser)
    parser.add_argument(
        "--from",
        dest="from_",
        choices=("last", "best"),
        default="last",
        help="checkpoint to go on from; best is the way on after a divergence",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    """Resumes, then shows what came out."""
    from trainwright.cli.outcome import show_outcome
    from trainwright.progress import ConsoleProgress, NoProgress, ProgressSink
    from trainwright.runs.listing import find_run
    from trainwright.workflows.training import resume

    directory = find_run(arguments.run, arguments.runs_dir)
    progress: ProgressSink = NoProgress() if arguments.quiet else ConsoleProgress()
    try:
        resumed = resume(
            directory.path, from_=arguments.from_, progress=progress, overrides=arguments.overrides
        )
    finally:
        progress.close()
    return show_outcome(resumed, progress.said)
