"""Train a recipe: a shipped name (`trainwright recipes list`) or a YAML file.

Values are changed with `a.b=value` or `--a.b value`, list items by number, `null` unsets:

  trainwright train digits train.epochs=3
  trainwright train recipe.yaml --train.optimizer.lr 1e-3 data.augment.0.padding=2

The same recipe again: a finished run is shown, an interrupted one goes on where it was.
Ctrl-C saves and stops, a second Ctrl-C stops at once.
"""

from __future__ import annotations

import argparse

from trainwright.cli.common import add_device, add_index, add_runs_dir, say, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; overrides are taken out before."""
    parser.add_argument("recipe", metavar="RECIPE", help="YAML file, or name of a shipped recipe")
    parser.add_argument(
        "override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value; --KEY VALUE too"
    )
    add_runs_dir(parser)
    add_index(parser)
    add_device(parser)
    parser.add_argument("--fresh", action="store_true", help="a new run, also where one exists already")
    parser.add_argument(
        "--data-only", action="store_true", help="walk the data of every split once, without a model"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    """Trains, then shows what came out and what can be done with it."""
    refuse_extra(arguments.override_help)

    if arguments.data_only:
        return _walk(arguments)

    from trainwright.cli.outcome import show_outcome
    from trainwright.progress import ConsoleProgress, NoProgress, ProgressSink
    from trainwright.workflows.training import train

    progress: ProgressSink = NoProgress() if arguments.quiet else ConsoleProgress()
    try:
        trained = train(
            arguments.recipe,
            arguments.overrides,
            runs_dir=arguments.runs_dir,
            fresh=arguments.fresh,
            progress=progress,
        )
    finally:
        progress.close()
    return show_outcome(trained, progress.said)


def _walk(arguments: argparse.Namespace) -> int:
    from trainwright.progress import ConsoleProgress, NoProgress, ProgressSink
    from trainwright.workflows.walking import walk_data

    progress: ProgressSink = NoProgress() if arguments.quiet else ConsoleProgress()
    try:
        walk = walk_data(arguments.recipe, arguments.overrides, progress=progress)
    finally:
        progress.close()
    for message in walk.messages:
        say(message)
    rows = [
        [split.name, name, list(column.shape), column.dtype, column.low, column.high, column.not_finite]
        for split in walk.splits
        for name, column in split.columns.items()
    ]
    say(table(["split", "column", "first batch", "dtype", "low", "high", "not finite"], rows))
    say()
    rates = [[split.name, split.samples, split.batches, split.seconds, split.rate] for split in walk.splits]
    say(table(["split", "samples", "batches", "seconds", "samples per second"], rates))
    return 0


def refuse_extra(words: list[str]) -> None:
    """Raises UsageError for a word that is neither the recipe nor an override."""
    from trainwright.cli.parsing import UsageError

    if words:
        raise UsageError(f"{words[0]!r} is not an override", fix="overrides look like train.epochs=3")
