"""Apply a run to files, to the rows of a table, or to a list from a pipe.

  trainwright predict RUN photo1.jpg photo2.jpg
  find photos -name '*.jpg' | trainwright predict RUN - --output answers.csv
  cat rows.csv | trainwright predict RUN - --format json

One answer per input, in its order: `sample`, then per target its predicted value; for a category its
probability and one column or key per class; for a distribution its point estimate and the probability of
each bin, whose edges stand in the run's processors.json (targets.NAME.state.fitted.edges). In a folder, files
that are of another kind by their name are left out and counted. A table needs the columns that the run reads,
and no targets.

Of found objects the answer is a list: class, score and box in pixels of the picture, where boxes end at its
borders. All are told, also unlikely ones; --min-score leaves out those of a lower score. --draw writes the
pictures with them, --format coco writes COCO's results file:

  trainwright predict RUN photos --draw drawn --format coco --output results.json
  trainwright predict RUN instances_val.json --format coco --output results.json
  trainwright predict RUN photos --format coco --ids instances_val.json --output results.json

The results carry the ids of the COCO file that the pictures belong to: the one that is asked about, that
--ids names, or that lies beside the pictures or is the run's own and lists them all. Without one, pictures
and classes are counted from 1, and results_ids.json beside the results, a COCO file without annotations, says
what they mean.

Of masks the table tells the share of each class. --pictures writes the masks themselves, as PNGs of the
pictures' own sizes whose pixels are the ids of the training masks:

  trainwright predict RUN photos --pictures masks

The folders are new, empty, or of an earlier `predict`: files of others are never replaced. The columns
`drawn` and `<target>_picture` tell which file is whose.

With --then a second run, trained on objects cut out of pictures (data.source: crops), is asked about every
object that the first one finds; its answers stand in the object's record under `then`:

  trainwright predict DETECTOR photos --then CLASSIFIER --format json
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainwright.cli.common import add_runs, tell
from trainwright.cli.parsing import UsageError
from trainwright.cli.predict_words import check_folder, make_folder, refuse_words, share

FORMATS = ("csv", "json", "jsonl", "parquet")
COCO = "coco"
SURE = 0.3
"""Least score of objects that are drawn, or asked about by a second run, where none is given."""


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
    parser.add_argument(
        "--format", choices=(*FORMATS, COCO), help="by the output's suffix if absent, csv on stdout"
    )
    parser.add_argument(
        "--on-bad",
        choices=("stop", "skip"),
        default="stop",
        help="what cannot be read stops all, or gets a row with its reason in the column `error` [stop]",
    )
    parser.add_argument(
        "--draw", metavar="FOLDER", help="write each picture with what was found: objects, classes of pixels"
    )
    parser.add_argument(
        "--pictures", metavar="FOLDER", help="write answers that are pictures: index masks of the same size"
    )
    parser.add_argument(
        "--min-score",
        metavar="S",
        type=share,
        help="least score, from 0 to 1, of found objects [all are told; 0.3 of what is drawn, or asked about "
        "by --then]",
    )
    parser.add_argument(
        "--ids",
        metavar="FILE",
        help="with --format coco: the COCO file whose ids of images and categories the results carry",
    )
    parser.add_argument("--then", metavar="RUN", help="a run that is asked about every found object")
    parser.add_argument("--encoding", help="of CSV and JSON [that of the run's table, else utf-8]")


def run(arguments: argparse.Namespace) -> int:
    """Reads, predicts and writes."""
    from trainwright import recipe as recipes
    from trainwright.inference.expected import expected_by
    from trainwright.inference.prediction_input import read_items
    from trainwright.runs.listing import find_run

    # What can be wrong with the words is told before anything is read, let alone answered for hours.
    form = format_of(arguments.output, arguments.format)
    check_writable(arguments.output)
    folders = [folder for folder in (arguments.draw, arguments.pictures) if folder is not None]
    if len(folders) == 2 and Path(folders[0]).resolve() == Path(folders[1]).resolve():
        raise UsageError("--draw and --pictures name their files alike", fix="give each a folder of its own")
    for folder in folders:
        check_folder(folder)
    directory = find_run(arguments.run, arguments.runs_dir)
    second = find_run(arguments.then, arguments.runs_dir) if arguments.then is not None else None
    data = recipes.load(directory.resolved).recipe.data
    then = recipes.load(second.resolved).recipe.data if second is not None else None
    refuse_words(arguments, data, then)
    expected = expected_by(data, arguments.encoding, directory.processors)
    found = read_items(arguments.files, expected)
    refuse_input(
        arguments.output, [*arguments.files, *(item for item in found.items if isinstance(item, str))]
    )
    for notice in found.notices:
        tell(notice)
    results = None
    if form == COCO:
        from trainwright.cli.predict_coco import CocoOutput

        results = CocoOutput(arguments, data, directory.processors, found)

    from trainwright.inference.predictions import write_answers
    from trainwright.inference.predictor import Predictor

    answers = Predictor.load(directory.path).predict(found.items, names=found.names, on_bad=arguments.on_bad)
    for line in answers.faults:
        tell(line)
    if arguments.min_score is not None:
        answers.leave_out_below(arguments.min_score)
    least_score = SURE if arguments.min_score is None else arguments.min_score
    image = next(
        (column.column or name for name, column in data.inputs.items() if column.type == "image"), ""
    )
    if second is not None and then is not None:
        _go_on(answers, found.items, image, second.path, then.source, least_score)
    _write_folders(arguments, answers, found.items, image, least_score)
    if results is not None:
        results.write(answers)
    else:
        write_answers(answers.columns, arguments.output, format=form, classes=answers.classes)
    return 0


def _write_folders(
    arguments: argparse.Namespace, answers: Any, items: Any, image: str, least_score: float
) -> None:
    """Draws and writes pictures, as asked; their folders are made only now, when they get something."""
    if arguments.draw is not None:
        from trainwright.workflows.drawing_answers import draw_answers

        make_folder(arguments.draw)
        count = draw_answers(answers, items, image, Path(arguments.draw), least_score)
        tell(f"{count} picture{'s' if count != 1 else ''} drawn in {arguments.draw}")
    if arguments.pictures is not None:
        from trainwright.workflows.writing_pictures import write_pictures

        make_folder(arguments.pictures)
        count = write_pictures(answers, Path(arguments.pictures))
        tell(f"{count} picture{'s' if count != 1 else ''} written to {arguments.pictures}")


def _go_on(
    answers: Any, items: Any, image: str, run: Path, source: Mapping[str, Any], least_score: float
) -> None:
    """Asks the second run about every found object."""
    from trainwright.inference.predictor import Predictor
    from trainwright.workflows.then import answer_crops

    margin = float(source.get("margin", 0.0)) if source["name"] == "crops" else 0.0
    second = Predictor.load(run)
    count = answer_crops(answers, items, image, second, margin=margin, least_score=least_score)
    tell(f"{count} found object{'s' if count != 1 else ''} asked about by {run.name}")


def refuse_input(output: str, inputs: Sequence[str]) -> None:
    """Raises UsageError where the answers would replace one of the files that are asked about."""
    if output == "-" or not Path(output).exists():
        return
    if any(item != "-" and Path(item).exists() and Path(item).samefile(output) for item in inputs):
        raise UsageError(
            "this file is asked about itself", where=output, fix="write the answers to another one"
        )


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
    if given == COCO:
        if suffix and suffix != "json":
            raise UsageError(f"--format coco contradicts --output {output}", fix="end it in .json")
        return COCO
    if given and suffix in FORMATS and suffix != given:
        raise UsageError(f"--format {given} contradicts --output {output}")
    if not given and output != "-" and suffix not in FORMATS:
        raise UsageError(f"cannot tell a format from {output}", fix=f"end it in .{', .'.join(FORMATS)}")
    return given or suffix or "csv"
