"""The page of a study: one self-contained file."""

from __future__ import annotations

import time

import numpy as np

import trainwright
from trainwright.report import study_charts
from trainwright.report.environment import templates
from trainwright.report.importance import FEWEST, importance
from trainwright.report.page import legend
from trainwright.report.parallel_coordinates import parallel_coordinates
from trainwright.report.scales import number_text, percent_text, seconds_text
from trainwright.report.study import StudyContents
from trainwright.report.svg import chart_svg

ROWS = 2000


def render_study_page(contents: StudyContents) -> str:
    """The whole page, which needs no network and no other file."""
    environment = templates()
    environment.filters.update(
        number=number_text, percent=percent_text, seconds=seconds_text, chart=chart_svg, legend=legend
    )
    enough = len(contents.done) > 1
    page: str = environment.get_template("study.html.j2").render(
        study=contents,
        names=list(contents.objectives),
        best=[trial for trial in contents.trials if trial.on_front],
        history=study_charts.history(contents) if contents.done else [],
        curves=study_charts.learning_curves(contents),
        slices=study_charts.slices(contents) if enough else [],
        fronts=study_charts.fronts(contents) if enough else [],
        parallel=parallel_coordinates(contents) if enough else "",
        importances=importances(contents),
        fewest=FEWEST,
        gain=study_charts.remaining_gain(contents),
        rows=contents.trials[:ROWS],
        version=getattr(trainwright, "__version__", ""),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )
    return page


def importances(contents: StudyContents) -> list[tuple[str, list[tuple[str, float]]]]:
    """Objective -> dimensions with their shares, the largest first; those that can be told."""
    places = contents.places(contents.done)
    found = []
    for index, name in enumerate(contents.objectives):
        values = np.array([(trial.values or ())[index] for trial in contents.done], dtype=np.float64)
        shares = importance(places, values)
        if shares is not None:
            pairs = zip([axis.name for axis in contents.axes], shares.tolist(), strict=True)
            found.append((name, sorted(pairs, key=lambda pair: -pair[1])))
    return found
