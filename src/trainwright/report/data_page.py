"""The page of what is wrong with data: one self-contained file, with pictures of the examples."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import trainwright
from trainwright.report.environment import templates


def render_data_page(title: str, check: Mapping[str, Any], pictures: Mapping[int, str]) -> str:
    """The whole page.

    Args:
        title: The recipe or path that was checked.
        check: `checked`, `counts`, `findings` and `notes`, as `check.json` has them.
        pictures: Row -> `data:` address, for rows that have one.
    """
    page: str = (
        templates()
        .get_template("data.html.j2")
        .render(
            title=title,
            checked=check["checked"],
            counts=check["counts"],
            findings=check["findings"],
            notes=check["notes"],
            pictures=pictures,
            version=getattr(trainwright, "__version__", ""),
            made=time.strftime("%Y-%m-%d %H:%M"),
        )
    )
    return page
