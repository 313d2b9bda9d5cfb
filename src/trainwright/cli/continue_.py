"""Train on from a run: its recipe with other values, from its last checkpoint, as a run of its own.

  trainwright continue photos train.epochs=120              twenty more than the hundred it has
  trainwright continue photos train.optimizer.lr=1e-4 --from best --reset-optimizer
  trainwright continue photos --data new_photos train.epochs=120

Epochs count on. The run that is continued stays as it is; `trainwright runs lineage` shows both.
"""

from __future__ import annotations

import argparse

from trainwright.cli.common import add_device, add_index, add_runs
from trainwright.cli.train import refuse_extra


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; overrides are taken out before."""
    add_runs(parser, many=False)
    add_index(parser)
    add_device(parser)
    parser.add_argument(
        "override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value; --KEY VALUE too"
    )
    parser.add_argument(
        "--from", dest="from_", choices=("last", "best"), default="last", help="weights to go on from [last]"
    )
    parser.add_argument(
        "--reset-optimizer",
        action="store_true",
        help="a new optimizer; else it keeps what it has gathered, under the new rates",
    )
    parser.add_argument("--data", metavar="PATH", help="other data of the same kind")
    parser.add_argument("--fresh", action="store_true", help="a new run, also where one exists already")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    """Trains the child, then shows what came out."""
    refuse_extra(arguments.override_help)
    from trainwright.cli.outcome import show_outcome
    from trainwright.progress import ConsoleProgress, NoProgress, ProgressSink
    from trainwright.runs.listing import find_run
    from trainwright.workflows.continuing import continue_run

    parent = find_run(arguments.run, arguments.runs_dir)
    progress: ProgressSink = NoProgress() if arguments.quiet else ConsoleProgress()
    try:
        trained = continue_run(
            parent.path,
            arguments.overrides,
            from_=arguments.from_,
            reset_optimizer=arguments.reset_optimizer,
            data=arguments.data,
            runs_dir=arguments.runs_dir,
            fresh=arguments.fresh,
            progress=progress,
        )
    finally:
        progress.close()
    return show_outcome(trained, progress.said)
