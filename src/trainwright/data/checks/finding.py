"""What a check says: one thing that is wrong or worth knowing, with its count, examples and mend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainwright.data.fixes import Fix

SHOWN = 20


class Severity(StrEnum):
    """`error` has to be mended or allowed, `warning` misleads or costs, `notice` only explains."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True)
class Example:
    """One case.

    Attributes:
        sample: Name of the sample, or of the record that is none.
        detail: What is the matter with it, in words.
        row: Its row, -1 where it has none.
        other: Row of the sample that it is compared with, -1 where there is none.
    """

    sample: str
    detail: str = ""
    row: int = -1
    other: int = -1


@dataclass(frozen=True)
class Finding:
    """What one check has to say about one matter.

    Attributes:
        check: Name of the check.
        severity: How much it matters.
        count: How many samples, objects or values are concerned.
        what: One sentence, without the count's examples.
        why: Why it matters, or what is done about it.
        fix: What a person can do.
        examples: At most 20 cases.
        fixes: What `data fix` would do; empty where it can do nothing.
    """

    check: str
    severity: Severity
    count: int
    what: str
    why: str = ""
    fix: str = ""
    examples: Sequence[Example] = ()
    fixes: Sequence[Fix] = ()

    @property
    def fixable(self) -> bool:
        """Whether `data fix` mends it."""
        return bool(self.fixes)

    def as_json(self) -> dict[str, Any]:
        """Everything but the single fixes."""
        return {
            "check": self.check,
            "severity": str(self.severity),
            "count": self.count,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "fixable": self.fixable,
            "examples": [vars(example) for example in self.examples],
        }


@dataclass(frozen=True)
class Findings:
    """All findings on some data, the gravest first.

    Attributes:
        found: As JSON, see `Finding.as_json`.
        checked: Counts of what was looked at: samples per split.
        fixes: What `data fix` would do; only where the checks were made anew.
        notes: What the source left out or assumed, in words.
    """

    found: list[dict[str, Any]]
    checked: dict[str, int]
    fixes: tuple[Fix, ...] = ()
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, found: Iterable[Finding], checked: dict[str, int], notes: Sequence[str] = ()) -> Findings:
        """Sorted by severity; of equal ones in the order found."""
        ranked = sorted(found, key=lambda finding: list(Severity).index(finding.severity))
        fixes = tuple(dict.fromkeys(fix for finding in ranked for fix in finding.fixes))
        return cls([finding.as_json() for finding in ranked], checked, fixes, list(notes))

    def with_one(self, finding: Finding) -> Findings:
        """These and one more, which comes first among those of its severity."""
        order = list(map(str, Severity))
        found = sorted([finding.as_json(), *self.found], key=lambda item: order.index(item["severity"]))
        return Findings(found, self.checked, (*self.fixes, *finding.fixes), self.notes)

    def of_severity(self, severity: Severity) -> list[dict[str, Any]]:
        """Findings of one severity."""
        return [item for item in self.found if item["severity"] == str(severity)]

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings per severity."""
        return {str(severity): len(self.of_severity(severity)) for severity in Severity}

    def as_json(self) -> dict[str, Any]:
        """Counts and findings, for `check.json`."""
        return {
            "checked": self.checked,
            "counts": self.counts,
            "findings": self.found,
            "notes": list(self.notes),
        }


def shown(examples: Iterable[Example]) -> list[Example]:
    """The first 20 of the examples."""
    return [example for example, _ in zip(examples, range(SHOWN), strict=False)]
