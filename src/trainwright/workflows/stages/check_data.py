"""A stage that looks for faults in data."""

from __future__ import annotations

from typing import Any, Literal

from trainwright.errors import DataError
from trainwright.fields import RecipeGiven
from trainwright.runs.atomic import write_json
from trainwright.wording import with_count
from trainwright.workflows.stages.work import StageWork


def check_data(
    stage: StageWork,
    *,
    recipe: RecipeGiven,
    overrides: dict[str, Any] | None = None,
    errors: Literal["stop", "report"] = "stop",
) -> None:
    """Checks the data of a recipe in full: `check.json`, and `check.html` with pictures.

    Stages that should wait for it name it in `needs`.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe itself.
        overrides: Key path -> value.
        errors: What becomes of the stage where something has to be mended: it stops, or says so.
    """
    from trainwright.data.checks.finding import Severity
    from trainwright.workflows.gate import check_data as check
    from trainwright.workflows.gate import told, write_page

    checked = check(recipe, overrides or {})
    write_json(stage.folder / "check.json", checked.findings.as_json())
    write_page(stage.folder / "check.html", checked.data, checked.findings, checked.name)
    for line in told(checked.findings):
        stage.say(line)
    stage.log(
        {
            f"check/{severity.value}": sum(item["count"] for item in checked.findings.of_severity(severity))
            for severity in Severity
        }
    )
    wrong = checked.findings.of_severity(Severity.ERROR)
    if wrong and errors == "stop":
        raise DataError(
            "the data have to be mended first",
            where=checked.name,
            why="; ".join(with_count(item["count"], item["what"]) for item in wrong),
            fix=f"`trainwright data check {checked.name}` shows all; or errors: report",
        )
