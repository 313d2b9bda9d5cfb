"""What a comparison of runs is made of, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trainwright.runs.metrics import Series


@dataclass(frozen=True)
class Against:
    """A group's metric against that of the first group, on the same samples.

    Attributes:
        difference: Of the group minus the first; None where the two cannot be compared.
        interval: Its 95 % interval over samples (paired bootstrap); None without values per sample.
        p: Of a paired test over samples; None where there is none.
        p_adjusted: The same, allowing for the number of comparisons of this metric (Holm).
        p_seeds: Of a permutation test over seeds; None where a side has fewer than two.
        reason: Why there is no difference or no test, in words.
    """

    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    p_seeds: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class GroupValue:
    """A metric of a group.

    Attributes:
        values: Of each run that has it.
        mean: Of these; None where there are none.
        spread: Their standard deviation; None of fewer than two.
        interval: 95 % interval over samples (bootstrap); None where there are no values per sample.
        against: The first group; None of the first itself.
    """

    values: Sequence[float]
    mean: float | None
    spread: float | None
    interval: tuple[float, float] | None = None
    against: Against | None = None


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        groups: Name -> ids of its runs; the first is what the others are compared to.
        recipe: Key path -> value in each group, of those that differ.
        metrics: `<split>/<metric>` -> value in each group.
        curves: Curves of every run, by group.
        notes: What a reader has to know.
    """

    groups: Mapping[str, Sequence[str]]
    recipe: Mapping[str, Sequence[Any]]
    metrics: Mapping[str, Sequence[GroupValue]]
    curves: Sequence[Sequence[Series]]
    notes: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values; curves as `[step, value]` pairs by run and name."""
        ids = [id for members in self.groups.values() for id in members]
        curves = [series for group in self.curves for series in group]
        metrics = {key: [asdict(value) for value in values] for key, values in self.metrics.items()}
        return {
            "groups": self.groups,
            "recipe": self.recipe,
            "metrics": metrics,
            "notes": self.notes,
            "curves": dict(zip(ids, curves, strict=True)),
        }
