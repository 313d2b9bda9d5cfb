"""One run directory in; plots, `report.json` and one self-contained `report.html` out."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.report import notes, overview
from trainwright.report.charts import Chart
from trainwright.report.contents import Contents, Evaluation, read_run
from trainwright.report.curves import learning_curves
from trainwright.report.hard_samples import hard_samples
from trainwright.report.kinds import KINDS, Kind, Result
from trainwright.report.notes import Note
from trainwright.report.pictures import Picture, PictureBook
from trainwright.runs.atomic import StorageError, write_json, write_text


@dataclass(frozen=True)
class TargetResult:
    """One target on one split; a number of several values has several results."""

    target: str
    split: str
    stem: str
    kind: Kind
    results: Sequence[Result]


def build_report(run: str | os.PathLike[str], *, picture: Picture | None = None, seed: int = 0) -> Path:
    """Makes the report of a run from nothing but its directory.

    Writes `plots/*.png`, `report.json` (every number of the page) and `report.html`, which needs no
    network and no other file.

    Args:
        run: The run directory.
        picture: Row of the prepared data -> uint8 `[H, W, C]` to show for a sample, or None.
        seed: Address of the bootstrap's resamples.

    Returns:
        Path of `report.html`.

    Raises:
        RunError: There is no run, or a file of it is damaged.
        StorageError: A file cannot be written.
    """
    contents = read_run(Path(run))
    results = [result for item in contents.evaluations for result in _analyse(contents, item, seed)]
    curves = learning_curves(contents.metrics, contents.record)
    book = PictureBook(picture)
    plots = _write_plots(contents, curves, results, book)
    from trainwright.report.page import render_page

    page = render_page(contents, curves, results, book, lambda: _notes(contents, results, book))
    write_text(contents.run.report, page)
    write_json(contents.run.path / "report.json", _plain(_summary(contents, results, plots, book)))
    return contents.run.report


def _analyse(contents: Contents, evaluation: Evaluation, seed: int) -> Iterator[TargetResult]:
    columns = evaluation.predictions.columns
    for place, (target, type) in enumerate(contents.target_types(evaluation).items()):
        safe = re.sub(r"[^\w.-]", "_", target)
        # Two names may become one when they are made safe for file systems.
        stem = f"{evaluation.split}-{safe}" if safe == target else f"{evaluation.split}-{place}-{safe}"
        kind = KINDS.get(type)
        if kind is not None:
            classes = contents.classes(evaluation, target)
            state = contents.fitted(target)
            fitted = {name: state[name] for name in kind.fitted if name in state}
            found = kind.analyse(target, columns, classes, stem=stem, seed=seed, **fitted)
            yield TargetResult(target, evaluation.split, stem, kind, found)


def _notes(contents: Contents, results: Iterable[TargetResult], book: PictureBook) -> list[Note]:
    found = list(notes.run_notes(contents))
    main = contents.evaluations[0].split if contents.evaluations else ""
    for item in results:
        for result in item.results:
            found += item.kind.remarks(item.split, result, item.split == main)
    return [*found, *notes.picture_notes(book.failures)]


def _write_plots(
    contents: Contents, curves: list[Chart], results: Iterable[TargetResult], book: PictureBook
) -> list[str]:
    """Writes every PNG and returns their names."""
    from trainwright.report.png import write_charts, write_heatmap

    folder = contents.run.plots
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(folder, error) from error
    written = []
    if curves:
        write_charts(folder / "learning-curves.png", curves)
        written.append("learning-curves.png")
    for item in results:
        for result in item.results:
            for chart in result.charts:
                write_charts(folder / f"{chart.name}.png", [chart])
                written.append(f"{chart.name}.png")
            for heatmap in result.heatmaps:
                write_heatmap(folder / f"{heatmap.name}.png", heatmap)
                written.append(f"{heatmap.name}.png")
            if item.kind.gallery and book.gallery(folder / f"{item.stem}-mistakes.png", result.mistakes):
                written.append(f"{item.stem}-mistakes.png")
    return written


def _summary(
    contents: Contents, results: Iterable[TargetResult], plots: list[str], book: PictureBook
) -> dict[str, Any]:
    listed = list(results)
    splits: dict[str, Any] = {
        item.split: {"metrics": item.metrics, "targets": {}} for item in contents.evaluations
    }
    for item in listed:
        for result in item.results:
            splits[item.split]["targets"][result.name] = result.as_json()
    hard = hard_samples(contents.hard)
    return {
        "run": contents.run.id,
        "name": contents.record.name,
        "state": str(contents.record.state),
        "exit_reason": contents.record.exit_reason,
        "facts": dict(overview.facts(contents)),
        "notes": [vars(note) for note in _notes(contents, listed, book)],
        "best": contents.record.best,
        "timings": contents.timings,
        "epochs": [vars(line) for line in contents.ledger],
        "advice": overview.advice(contents),
        "splits": splits,
        "hard_samples": None if hard is None else hard.as_json(),
        "plots": plots,
    }


def _plain(value: Any) -> Any:
    """The value as strict JSON holds it: lists for arrays, null for numbers that are not finite."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
