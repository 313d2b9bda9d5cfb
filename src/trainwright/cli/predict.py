"""Apply a run to files, to the rows of a table, or to a list from a pipe.

  trainwright predict RUN photo1.jpg photo2.jpg
  find photos -name '*.jpg' | trainwright predict RUN - --output answers.csv
  cat rows.csv | trainwright predict RUN - --format json

One answer per input, in its order: `sample`, then per target its predicted value; for a category its
probability and one column or key per class. In a folder, files that are of another kind by their name are
left out and counted. A table needs the columns that the run reads, and no targets.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainwright.cli.common import add_runs, tell
from trainwright.cli.parsing import UsageError

FORMATS = ("csv", "json", "jsonl", "parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs(parser, many=False)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="files, folders, tables (CSV, JSON, Parquet) or arrays (.npz, .npy); `-` reads paths or rows "
        "from a pipe",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="ends in .csv, .json, .jsonl or .parquet [stdout]"
    )
    parser.add_argument("--format", choices=FORMATS, help="by the output's suffix if absent, csv on stdout")
    parser.add_argument(
        "--on-bad",
        choices=("stop", "skip"),
        default="stop",
        help="what cannot be read stops all, or gets a row with its reason in the column `error` [stop]",
    )
    parser.add_argument("--encoding", help="of CSV and JSON [that of the run's table, else utf-8]")


def run(arguments: argparse.Namespace) -> int:
    """Reads, predicts and writes."""
    from trainwright.cli.prediction_input import read_items
    from trainwright.runs.listing import find_run

    # What can be wrong with the words is told before the model is loaded and has worked for hours.
    form = format_of(arguments.output, arguments.format)
    check_writable(arguments.output)
    directory = find_run(arguments.run, arguments.runs_dir)

    from trainwright import recipe as recipes
    from trainwright.inference.expected import expected_by

    expected = expected_by(recipes.load(directory.resolved).recipe.data, arguments.encoding)
    found = read_items(arguments.files, expected)
    for notice in found.notices:
        tell(notice)

    from trainwright.inference.predictions import write_answers
    from trainwright.inference.predictor import Predictor

    answers = Predictor.load(directory.path).predict(found.items, names=found.names, on_bad=arguments.on_bad)
    for line in answers.faults:
        tell(line)
    write_answers(answers.columns, arguments.output, format=form, classes=answers.classes)
    return 0


def check_writable(output: str) -> None:
    """Raises UsageError where the folder of the output is missing, or the output is a folder."""
    path = Path(output)
    if output != "-" and not path.parent.is_dir():
        raise UsageError("there is no such folder", where=str(path.parent), fix=f"mkdir -p {path.parent}")
    if output != "-" and path.is_dir():
        raise UsageError("this is a folder", where=output, fix="give the name of a file in it")


def format_of(output: str, given: str | None) -> Any:
    """The format to write: as asked, else by the output's suffix, else CSV.

    Raises:
        UsageError: The suffix is of no known format, or contradicts the one asked for.
    """
    suffix = Path(output).suffix.lower().lstrip(".") if output != "-" else ""
    if given and suffix in FORMATS and suffix != given:
        raise UsageError(f"--format {given} contradicts --output {output}")
    if not given and output != "-" and suffix not in FORMATS:
        raise UsageError(f"cannot tell a format from {output}", fix=f"end it in .{', .'.join(FORMATS)}")
    return given or suffix or "csv"
