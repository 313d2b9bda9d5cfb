"""Apply a run to files, to the rows of a table, or to a list from a pipe.

  trainwright predict RUN photo1.jpg photo2.jpg
  find photos -name '*.jpg' | trainwright predict RUN - --output answers.csv
  cat rows.csv | trainwright predict RUN - --format json

One answer per input, in its order: `sample`, then per target its predicted value; for a category its
probability and one column or key per class.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    from trainwright.cli.common import add_runs

    add_runs(parser, many=False)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="files, folders or tables (CSV, Parquet); `-` reads paths or CSV rows from a pipe",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help=".csv, .json or .parquet [stdout]"
    )
    parser.add_argument(
        "--format", choices=("csv", "json", "parquet"), help="by the output's suffix, else csv"
    )


def run(arguments: argparse.Namespace) -> int:
    """Reads, predicts and writes."""
    from trainwright.cli.answers import format_of, write_answers
    from trainwright.cli.prediction_input import read_items
    from trainwright.runs.listing import find_run

    # What can be wrong with the words is told before the model is loaded.
    form = format_of(arguments.output, arguments.format)
    directory = find_run(arguments.run, arguments.runs_dir)
    items, names = read_items(arguments.files)

    from trainwright.inference.predictor import Predictor

    answers = Predictor.load(directory.path).predict(items)
    named = [{"sample": name, **answer} for name, answer in zip(names, answers, strict=True)]
    write_answers(named, arguments.output, form)
    return 0
