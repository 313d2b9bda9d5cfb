"""The page of a comparison: one self-contained file."""

from __future__ import annotations

import time

import trainwright
from trainwright.report.comparison import Comparison
from trainwright.report.comparison_charts import comparison_curves
from trainwright.report.environment import templates
from trainwright.report.page import legend
from trainwright.report.scales import number_text
from trainwright.report.svg import chart_svg
from trainwright.runs.comparing import as_text


def render_comparison(comparison: Comparison) -> str:
    """The whole page, which needs no network and no other file."""
    environment = templates()
    environment.filters.update(number=number_text, chart=chart_svg, legend=legend, value=as_text)
    page: str = environment.get_template("comparison.html.j2").render(
        comparison=comparison,
        names=list(comparison.groups),
        curves=comparison_curves(comparison),
        version=getattr(trainwright, "__version__", ""),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )
    return page
