"""A stage that applies a run to files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trainwright.errors import UserError
from trainwright.fields import Location, RunPlace
from trainwright.workflows.stages.work import StageWork


def predict(
    stage: StageWork,
    *,
    run: RunPlace,
    inputs: list[Location],
    output: str = "answers.csv",
    on_bad: Literal["stop", "skip"] = "stop",
    pictures: bool = False,
) -> None:
    """Writes a run's answers for files, folders, tables or arrays.

    Samples are named from the folder that an input lies in, so that the output is the same wherever that is.

    Args:
        run: A run, most often `${stages.NAME}` of a stage that trains.
        inputs: Files, folders, tables (CSV, JSON, Parquet) or arrays (.npz, .npy).
        output: Name of the file of answers; ends in .csv, .json, .jsonl or .parquet.
        on_bad: What cannot be read stops the stage, or gets a row with its reason in the column `error`.
        pictures: Also write answers that are pictures, into a folder `pictures`.
    """
    from trainwright import recipe as recipes
    from trainwright.inference.expected import expected_by
    from trainwright.inference.prediction_input import read_items
    from trainwright.inference.predictions import write_answers
    from trainwright.inference.predictor import Predictor
    from trainwright.runs.directory import RunDirectory
    from trainwright.workflows.writing_pictures import write_pictures

    if "/" in output or output.startswith("."):
        raise UserError(f"{output!r} is no name of a file", where="output", fix="such as answers.csv")
    directory = RunDirectory.open(run)
    expected = expected_by(recipes.load(directory.resolved).recipe.data, None, directory.processors)
    found = read_items(inputs, expected)
    for notice in found.notices:
        stage.say(notice)
    names = [_without_place(name, inputs) for name in found.names]
    answers = Predictor.load(directory.path).predict(found.items, names=names, on_bad=on_bad)
    for line in answers.faults:
        stage.say(line)
    write_answers(answers.columns, stage.folder / output, classes=answers.classes)
    if pictures:
        (stage.folder / "pictures").mkdir()
        write_pictures(answers, stage.folder / "pictures")
    stage.log({"answers": len(answers)})


def _without_place(name: str, inputs: list[str]) -> str:
    """A sample's name without the folder that its input lies in."""
    for place in inputs:
        above = f"{Path(place).parent}/"
        if name.startswith(place):
            return name.removeprefix(above)
    return name
