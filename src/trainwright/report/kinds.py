"""What a report does with a target, by the target's type. One line per type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trainwright.data.objects import OBJECT_TYPES
from trainwright.report import notes, overview
from trainwright.report.categories import analyse_categories
from trainwright.report.category import analyse_category
from trainwright.report.charts import Chart, Heatmap
from trainwright.report.distribution import analyse_distribution
from trainwright.report.mask import analyse_mask
from trainwright.report.mistakes import Mistake
from trainwright.report.notes import Note
from trainwright.report.number import analyse_number
from trainwright.report.objects import analyse_objects
from trainwright.report.restored import analyse_restored


class Result(Protocol):
    """What there is to know of one target, or one value of it, on one split.

    Attributes:
        name: The target, with the place of the value where it has several.
        charts: Curves and bars.
        heatmaps: Confusion matrices.
        mistakes: The samples that the model is most wrong about, the worst first.
    """

    @property
    def name(self) -> str: ...

    @property
    def charts(self) -> Sequence[Chart]: ...

    @property
    def heatmaps(self) -> Sequence[Heatmap]: ...

    @property
    def mistakes(self) -> Sequence[Mistake]: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Kind:
    """How targets of a type are reported.

    Attributes:
        template: Name of the template with the macro `section(result, picture)`.
        analyse: Target, columns, class names, `stem` of the plots' names and `seed` to results.
        answer: Split and result to the target's line in the summary.
        remarks: Split, result, and whether it is the first split, to notes.
        gallery: The worst samples make a plot of their own.
        fitted: Values of the fitted processor that `analyse` takes as well, by their names.
    """

    template: str
    analyse: Callable[..., Sequence[Any]]
    answer: Callable[[str, Any], overview.Answer]
    remarks: Callable[[str, Any, bool], Iterator[Note]]
    gallery: bool = True
    fitted: tuple[str, ...] = ()


_NUMBER = Kind("number", analyse_number, overview.number_answer, notes.number_notes, gallery=False)

KINDS: dict[str, Kind] = {
    "category": Kind("category", analyse_category, overview.category_answer, notes.category_notes),
    "categories": Kind(
        "categories", analyse_categories, overview.categories_answer, notes.categories_notes, gallery=False
    ),
    "number": _NUMBER,
    "distribution": Kind(
        "distribution",
        analyse_distribution,
        overview.number_answer,
        notes.number_notes,
        gallery=False,
        fitted=("edges",),
    ),
    **dict.fromkeys(
        OBJECT_TYPES, Kind("objects", analyse_objects, overview.objects_answer, notes.objects_notes)
    ),
    "mask": Kind("mask", analyse_mask, overview.mask_answer, notes.no_notes, gallery=False),
    "image": Kind("restored", analyse_restored, overview.restored_answer, notes.no_notes, gallery=False),
}
"""Target type -> how it is reported; a type that is not here appears with its metrics and curves only."""
