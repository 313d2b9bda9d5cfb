"""Score runs through the path that also predicts: on a split of their own data, or on other data.

  trainwright evaluate RUN --split val
  trainwright evaluate RUN --data other_photos
  trainwright evaluate RUN --data instances_val.json data.source.images=/photos/val

Other data need not have the format of the run's own: a run on Pascal VOC is scored on a COCO file, a folder
with `images` and `annotations`, or a YOLO data.yaml. Classes go by their names. All of the data are scored;
which source reads them is told. Values of the recipe's data section can be given for them: objects of classes
that the run does not know are left out with data.targets.NAME.others=drop.
"""

from __future__ import annotations

import argparse
from typing import Any

from trainwright.cli.common import add_runs, say, say_json, table, tell
from trainwright.progress import NoProgress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs(parser, many=True)
    parser.add_argument("--split", default="test", help="split to score [test]")
    parser.add_argument(
        "--data", metavar="PATH", help="other data of the same kind, in place of the run's own"
    )
    parser.add_argument("--json", action="store_true", help="machine output")


class _Told(NoProgress):
    """Messages go to stderr, beside the scores."""

    def message(self, text: str) -> None:
        """A line, also in the log."""
        super().message(text)
        tell(text)


def run(arguments: argparse.Namespace) -> int:
    """Prints one row of metrics per run."""
    from trainwright.runs.listing import chosen_runs
    from trainwright.workflows.evaluating import evaluate

    results: dict[str, dict[str, Any]] = {}
    for directory in chosen_runs(arguments.runs, arguments.runs_dir):
        if directory.owner() is not None:
            tell(f"{directory.path} is still being trained: its best weights so far are scored")
        results[str(directory.path)] = evaluate(
            directory.path,
            split=arguments.split,
            data=arguments.data,
            overrides=arguments.overrides,
            progress=_Told(),
        )
    if arguments.json:
        say_json(results)
    elif len(results) == 1:
        [metrics] = results.values()
        say(table(["metric", arguments.split], sorted(metrics.items())))
    else:
        names = list(dict.fromkeys(name for metrics in results.values() for name in metrics))
        say(table(["run", *names], [[path, *(m.get(n) for n in names)] for path, m in results.items()]))
    return 0
