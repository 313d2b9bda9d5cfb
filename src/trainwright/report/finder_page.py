"""The page of a finder: what was measured before a training, and what it says of a value of the recipe."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trainwright
from trainwright.report.charts import Chart
from trainwright.report.environment import templates
from trainwright.report.page import legend
from trainwright.report.scales import number_text
from trainwright.report.svg import chart_svg


@dataclass(frozen=True)
class FinderContents:
    """What the page shows.

    Attributes:
        title: What was looked for, and of which recipe.
        answer: The answer in a sentence.
        facts: Name -> value, in words.
        charts: What was measured.
        header: Of the table; empty for none.
        rows: Its cells, as text.
        notes: What one should know of it.
    """

    title: str
    answer: str
    facts: Mapping[str, str]
    charts: Sequence[Chart]
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()


def render_finder_page(contents: FinderContents) -> str:
    """The whole page, which needs no network and no other file."""
    environment = templates()
    environment.filters.update(chart=chart_svg, legend=legend, number=number_text)
    page: str = environment.get_template("finder.html.j2").render(
        found=contents,
        version=getattr(trainwright, "__version__", ""),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )
    return page
