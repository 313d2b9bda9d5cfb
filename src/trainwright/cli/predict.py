"""Apply a run to files, to the rows of a table, or to a list from a pipe.

  trainwright predict RUN photo1.jpg photo2.jpg
  find photos -name '*.jpg' | trainwright predict RUN - --output answers.csv
  cat rows.csv | trainwright predict RUN - --format json

One answer per input, in its order: `sample`, then per target its predicted value; for a category its
probability and one column or key per class.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainwright.cli.common import add_runs
from trainwright.cli.parsing import UsageError

FORMATS = ("csv", "json", "jsonl", "parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs(parser, many=False)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="files, folders or tables (CSV, Parquet); `-` reads paths or CSV rows from a pipe",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="ends in .csv, .json, .jsonl or .parquet [stdout]"
    )
    parser.add_argument("--format", choices=FORMATS, help="by the output's suffix if absent, csv on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Reads, predicts and writes."""
    from trainwright.cli.prediction_input import read_items
    from trainwright.runs.listing import find_run

    # What can be wrong with the words is told before the model is loaded and has worked for hours.
    form = format_of(arguments.output, arguments.format)
    directory = find_run(arguments.run, arguments.runs_dir)
    items, names = read_items(arguments.files)

    from trainwright.inference.predictions import write_answers
    from trainwright.inference.predictor import Predictor

    answers = Predictor.load(directory.path).predict(items)
    columns = {**answers.columns, "sample": names}
    write_answers(columns, arguments.output, format=form, classes=answers.classes)
    return 0


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
