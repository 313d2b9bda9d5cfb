"""The HTML page, from templates that escape everything that comes from data."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup, escape

import trainwright
from trainwright.report import overview
from trainwright.report.category import CategoryResult
from trainwright.report.charts import Chart, Line
from trainwright.report.contents import Contents
from trainwright.report.environment import templates
from trainwright.report.hard_samples import hard_samples
from trainwright.report.kinds import Result
from trainwright.report.mistakes import Mistake
from trainwright.report.notes import Note, dropped_samples
from trainwright.report.pictures import PictureBook
from trainwright.report.scales import number_text, percent_text, seconds_text
from trainwright.report.svg import chart_svg, color_class, heatmap_svg
from trainwright.runs import ledger

if TYPE_CHECKING:
    from trainwright.report.build import TargetResult

# A page stays quick to open; report.json has the rest.
ROWS = 1000
WEAKEST_FIRST = 30


def render_page(
    contents: Contents,
    curves: list[Chart],
    results: list[TargetResult],
    book: PictureBook,
    remarks: Callable[[], list[Note]],
) -> str:
    """The whole page.

    Args:
        contents: The run.
        curves: Learning curves.
        results: Every target on every split, the most telling split first.
        book: Samples' pictures.
        remarks: Called last, when it is known which pictures failed.
    """
    targets = _by_target(results)
    pictures = {
        id(mistake): uri
        for item in results
        for result in item.results
        for mistake in result.mistakes
        if (uri := book.uri(mistake))
    }
    hard = hard_samples(contents.hard)
    for sample in hard.shown if hard is not None else ():
        if uri := book.uri(sample):
            pictures[id(sample)] = uri
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            contents=contents,
            record=contents.record,
            curves=curves,
            hard=hard,
            targets=list(targets.items()),
            answers=_answers(targets),
            facts=[(word, text) for word, text in overview.facts(contents) if text],
            notes=remarks(),
            dropped=dropped_samples(contents),
            sizes=overview.split_sizes(contents),
            picture=lambda mistake: pictures.get(id(mistake)),
            part_words=ledger.WORDS,
            epoch_shares=ledger.shares(contents.ledger),
            advice=overview.advice(contents),
            total_seconds=sum(contents.timings.values()),
            metric_names=list(dict.fromkeys(name for item in contents.evaluations for name in item.metrics)),
            version=getattr(trainwright, "__version__", ""),
            made=time.strftime("%Y-%m-%d %H:%M"),
        )
    )


def _environment() -> Environment:
    environment = templates()
    environment.filters.update(
        number=number_text,
        percent=percent_text,
        seconds=seconds_text,
        chart=chart_svg,
        heatmap=heatmap_svg,
        color=color_class,
        whisker=whisker_svg,
        legend=legend,
        recipe=recipe_html,
    )
    environment.globals.update(
        class_rows=class_rows,
        has_pictures_of=has_pictures_of,
        has_pictures=has_pictures,
        whisker_start=whisker_start,
        ROWS=ROWS,
    )
    return environment


def _by_target(results: list[TargetResult]) -> dict[str, list[TargetResult]]:
    """Targets in the order of the recipe, each with its splits, the most telling first."""
    groups: dict[str, list[TargetResult]] = {}
    for item in results:
        groups.setdefault(item.target, []).append(item)
    return groups


def _answers(targets: dict[str, list[TargetResult]]) -> list[overview.Answer]:
    """One answer a target (or value of it), on its most telling split."""
    return [
        items[0].kind.answer(items[0].split, result)
        for items in targets.values()
        for result in items[0].results
    ]


def has_pictures(result: Result, picture: Callable[[Any], str | None]) -> bool:
    """Whether the mistakes make a gallery, or a table."""
    return has_pictures_of(result.mistakes, picture)


def has_pictures_of(samples: Sequence[Mistake], picture: Callable[[Any], str | None]) -> bool:
    """Whether any of the samples has a picture."""
    return any(picture(sample) for sample in samples)


def class_rows(result: CategoryResult) -> list[tuple[Any, float]]:
    """Rows of the class table with their average precision, the weakest first where there are many."""
    rows = list(zip(result.rows, result.average_precision.tolist(), strict=True))
    if len(rows) > WEAKEST_FIRST:
        rows.sort(key=lambda pair: (pair[0].f1 != pair[0].f1, pair[0].f1))
    return rows[:ROWS]


def legend(chart: Chart) -> list[tuple[str, str]]:
    """Pairs of CSS class and label of everything in the chart that has a label."""
    return [
        (color_class(mark.color) + (" dashed" if isinstance(mark, Line) and mark.dashed else ""), mark.label)
        for mark in chart.marks
        if getattr(mark, "label", "") and hasattr(mark, "color")
    ]


def whisker_start(result: CategoryResult) -> float:
    """Where the line of the whiskers starts: a tenth in 0..0.9 below all of them."""
    lows = [row.f1_interval.low for row in result.rows if row.f1 == row.f1]
    return min(0.9, math.floor(10 * min(lows, default=0.0)) / 10)


def whisker_svg(value: float, interval: tuple[float, float], start: float = 0.0) -> Markup:
    """A value in `start`..1 with its interval as a dot on a line, small enough for a table."""
    if value != value:
        return Markup("")
    low, high, at = (f"{2 + 96 * (part - start) / (1 - start):.1f}" for part in (*interval, value))
    return Markup(
        '<svg class="whisker" viewBox="0 0 100 12" aria-hidden="true"><path class="grid" d="M2 6H98"/>'
        f'<path class="span" d="M{low} 6H{high}"/><circle cx="{at}" cy="6" r="3"/></svg>'
    )


def recipe_html(text: str) -> Markup:
    """YAML with its comments (the origins of values) set apart."""
    lines = []
    for line in text.splitlines():
        before, mark, after = line.partition(" #") if not line.lstrip().startswith("#") else ("", "", line)
        comment = f"{mark}{after}"
        lines.append(f"{escape(before)}<i>{escape(comment)}</i>" if comment else str(escape(line)))
    return Markup("\n".join(lines))
