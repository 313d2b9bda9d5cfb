"""The gate: data are checked before a minute of training is spent on them, and told what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.data.checks.finding import Example, Finding, Findings, Severity
from trainwright.data.checks.running import check_names, checked_before, remember, run_checks
from trainwright.data.checks.subject import Subject
from trainwright.data.prepare import prepare
from trainwright.data.splits import EmptySplit, NoSplit
from trainwright.data.types import PreparedData
from trainwright.errors import DataError, ErrorList, TrainwrightError, UserError, raise_all
from trainwright.locations import cache_dir
from trainwright.runs.atomic import write_json, write_text
from trainwright.wording import with_count
from trainwright.workflows.describing import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainwright.recipe.schema import Data, Recipe

_TOLD = 120  # letters of an example in a line of messages


@dataclass(frozen=True)
class CheckedData:
    """What a thorough check came to.

    Attributes:
        findings: What was found.
        data: The prepared data, None where they could not be prepared at all.
        recipe: The data section that was checked.
        name: The recipe, or the path.
    """

    findings: Findings
    data: PreparedData | None
    recipe: Data
    name: str

    @property
    def in_order(self) -> bool:
        """Whether nothing has to be mended."""
        return not self.findings.of_severity(Severity.ERROR)


def check_data(
    given: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | Sequence[str] = ()
) -> CheckedData:
    """Checks the data of a recipe, or of a folder or file, in full.

    Args:
        given: A recipe (file, shipped name, mapping), or a path of data that nobody has described.
        overrides: Of the recipe.

    Raises:
        UserError: There is neither a recipe nor data of a known kind.
    """
    described = describe(given)
    loaded = recipes.load(described.recipe, overrides)
    section = loaded.recipe.data
    check_names(section.gate.skip)
    name = str(given) if isinstance(given, str | Path) else loaded.recipe.name
    try:
        data, unsplit = _prepared(_lenient(section), described.whole)
    except UserError as error:
        found = [_unprepared(error), *_bad_samples(section, described.whole, error)]
        return CheckedData(Findings.of(found, {}), None, section, name)
    subject = Subject(data, allowed=_allowed(section, data))
    findings = run_checks(subject, section.gate.skip)
    for finding in _other_classes(loaded.recipe, data):
        findings = findings.with_one(finding)
    if unsplit is not None:
        findings = findings.with_one(_unsplit(unsplit))
    return CheckedData(findings, data, section, name)


def prepare_leniently(section: Data, whole: str | None = None) -> PreparedData:
    """The data without stopping at bad samples, so that all of them are among the dropped ones.

    Args:
        section: The recipe's data section.
        whole: Split that takes all rows.

    Raises:
        UserError: The data cannot be read at all.
    """
    return _prepared(_lenient(section), whole)[0]


def _lenient(section: Data) -> Data:
    on_bad = section.on_bad.model_copy(update={"policy": "skip", "limit": 1.0})
    return section.model_copy(update={"on_bad": on_bad})


def _prepared(section: Data, whole: str | None) -> tuple[PreparedData, EmptySplit | None]:
    """The data; where nobody has divided them, or a split is empty, all of them together.

    Returns:
        The data, and the error of the splits that were passed over.
    """
    unsplit = None
    try:
        return prepare(section, cache_dir=cache_dir(), workers=section.workers, whole=whole), None
    except NoSplit:
        pass
    except EmptySplit as error:
        unsplit = error
    return prepare(section, cache_dir=cache_dir(), workers=section.workers, whole="train"), unsplit


def quick_check(section: Data, data: PreparedData) -> Findings:
    """What costs little, from memory where the same data were checked before.

    Raises:
        RecipeError: The recipe skips a check that there is not.
    """
    key = {"skip": sorted(section.gate.skip), "thorough": False, "on_bad": section.on_bad.model_dump()}
    known = checked_before(data, cache_dir(), key)
    if known is not None:
        return known
    found = run_checks(Subject(data, thorough=False), section.gate.skip)
    remember(data, cache_dir(), key, found)
    return found


def refuse_errors(section: Data, findings: Findings | None) -> None:
    """Raises what has to be mended first, unless the recipe only wants it reported.

    Args:
        section: The recipe's data section.
        findings: None on processes that do not check.

    Raises:
        DataError: One error. ErrorList: several.
    """
    if section.gate.errors == "report" or findings is None:
        return
    errors: list[TrainwrightError] = [
        DataError(
            with_count(item["count"], item["what"]),
            where=_where(item),
            why=item["why"],
            fix=f"{item['fix']}{_mend(item)}; or data.gate: {{errors: report}} to train all the same",
        )
        for item in findings.of_severity(Severity.ERROR)
    ]
    raise_all(errors)


def _mend(item: dict[str, Any]) -> str:
    return " (`trainwright data fix` writes the list)" if item["fixable"] else ""


def told(findings: Findings | None) -> list[str]:
    """Errors and warnings in one line each."""
    if findings is None:
        return []
    return [
        f"data {item['severity']}: {with_count(item['count'], item['what'])}, such as {_where(item)}"
        if item["examples"]
        else f"data {item['severity']}: {with_count(item['count'], item['what'])}"
        for severity in (Severity.ERROR, Severity.WARNING)
        for item in findings.of_severity(severity)
    ]


def write_page(path: Path, data: PreparedData | None, findings: Findings, title: str) -> None:
    """Writes the findings as one self-contained HTML page with pictures. Raises StorageError."""
    from trainwright.report.data_page import render_data_page
    from trainwright.workflows.data_pictures import thumbnails

    pictures = {} if data is None else thumbnails(data, findings)
    write_text(path, render_data_page(title, findings.as_json(), pictures))


def write_findings(folder: Path, data: PreparedData, findings: Findings, title: str) -> None:
    """Writes `check.json` and `check.html` into a folder of a run. Raises StorageError."""
    write_json(folder / "check.json", findings.as_json())
    write_page(folder / "check.html", data, findings, title)


def _where(item: dict[str, Any]) -> str:
    if not item["examples"]:
        return "data"
    first = item["examples"][0]
    detail = first["detail"] if len(first["detail"]) <= _TOLD else f"{first['detail'][:_TOLD]}..."
    return f"{first['sample']} ({detail})" if detail else str(first["sample"])


def _allowed(section: Data, data: PreparedData) -> bool:
    """Whether the recipe lets as many samples be dropped as there are bad ones."""
    if section.on_bad.policy == "stop":
        return not data.dropped
    bad = len({(item.row, item.name) for item in data.dropped if item not in data.left_out})
    return bad <= section.on_bad.limit * max(1, len(data.names))


def _bad_samples(section: Data, whole: str | None, error: UserError) -> list[Finding]:
    """What stops at the first bad sample: where none may be left, it is they that are to blame."""
    strict = section.model_copy(update={"on_bad": section.on_bad.model_copy(update={"policy": "stop"})})
    try:
        _prepared(strict, whole)
    except UserError as other:
        if str(other) != str(error):
            return [replace(_unprepared(other), check="unreadable", what="samples cannot be read")]
    return []


def _unsplit(error: EmptySplit) -> Finding:
    return Finding(
        "preparation",
        Severity.ERROR,
        1,
        "split cannot be made as the recipe says",
        "all samples were checked together, as if they were for training",
        error.fix,
        [Example(error.where, f"{error.what}: {error.why}")],
    )


def _other_classes(recipe: Recipe, data: PreparedData) -> Iterator[Finding]:
    """Weights of `init` that were trained for other classes, or for these in another order."""
    if recipe.init is None:
        return
    from trainwright.models.weight_classes import classes_in, classes_of, differences

    left_out = bool(recipe.init.exclude) or not recipe.init.strict
    for name, difference in differences(
        classes_in(recipe.init.path), classes_of(data.info().targets)
    ).items():
        yield Finding(
            "classes",
            Severity.NOTICE if left_out else Severity.ERROR,
            1,
            f"classes of {name} in the weights of init.path are {difference}",
            why="the output layer would answer with the wrong names",
            fix="use the same classes in the same order, or leave the output layer out with init.exclude",
        )


def _unprepared(error: UserError) -> Finding:
    parts = error.errors if isinstance(error, ErrorList) else [error]
    return Finding(
        "preparation",
        Severity.ERROR,
        len(parts),
        "the data cannot be read as the recipe says",
        examples=[
            Example(part.where or "data", "; ".join(filter(None, [part.what, part.why, part.fix])))
            for part in parts
        ],
    )
