"""Samples that occur more than once: in one split, in two, or with two labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.row_digests import equal_rows, is_perceived, label_of
from trainwright.data.checks.subject import Rows, Subject
from trainwright.data.fixes import Fix
from trainwright.data.objects import OBJECT_TYPES
from trainwright.wording import counted

_LABELS = ("category", *OBJECT_TYPES)
LEAK_ERROR = 0.01  # share of a held-out split from which its score is worth nothing
CONFLICT_ERROR = 0.01  # share of all samples from which labels that contradict each other spoil the learning


def find(subject: Subject) -> Iterator[Finding]:
    """Conflicts of labels, leakage and plain repetition, each group of equal rows under one of them."""
    groups = equal_rows(subject)
    if groups is None:
        yield Finding(
            "duplicates",
            Severity.NOTICE,
            len(subject.rows),
            "samples are too many to be compared before a training",
            fix="`trainwright data check` compares them",
        )
        return
    perceived = is_perceived(subject)
    labels = [column for column in subject.columns if column.is_target and column.type in _LABELS]
    conflicts = [g for g in groups if len({label_of(labels, int(row)) for row in g}) > 1] if labels else []
    in_conflict = {int(group[0]) for group in conflicts}
    rest = [group for group in groups if int(group[0]) not in in_conflict]
    if conflicts:
        yield _conflicts(subject, conflicts, [column.name for column in labels], perceived)
    leaks = [group for group in rest if len(set(subject.split_of[group].tolist())) > 1]
    if leaks:
        yield _leaks(subject, leaks, perceived)
    repeated = [group for group in rest if len(set(subject.split_of[group].tolist())) == 1]
    if repeated:
        yield _repeated(subject, repeated, perceived)


def kept_first(subject: Subject, group: Rows) -> list[int]:
    """Rows of a group, the one to keep first: of the most trusted split, then the first."""
    return sorted(group.tolist(), key=lambda row: (int(subject.split_of[row]), row))


def leak_severity(subject: Subject, rows: Sequence[int]) -> Severity:
    """An error where a hundredth of a held-out split or more is known from training, else a warning."""
    for split, members in subject.splits.items():
        inside = sum(subject.split_name(row) == split for row in rows)
        if split != "train" and inside > LEAK_ERROR * len(members):
            return Severity.ERROR
    return Severity.WARNING


def pair(subject: Subject, row: int, other: int, detail: str) -> Example:
    """An example of two samples that are alike."""
    where = f"{subject.split_name(row)}; in {subject.split_name(other)}: {subject.names[other]}"
    return Example(subject.names[row], f"{detail}{where}", row, other)


def _conflicts(subject: Subject, groups: Sequence[Rows], targets: Sequence[str], perceived: bool) -> Finding:
    columns = [column for column in subject.columns if column.name in targets]

    def labels(row: int) -> str:
        return "/".join(map(_in_words, label_of(columns, row)))

    ranked = [kept_first(subject, group) for group in groups]
    leaked = [
        row
        for rows in ranked
        if len(set(subject.split_of[rows].tolist())) > 1
        for row in rows
        if subject.split_name(row) != "train"
    ]
    rows = sum(map(len, groups))
    # Of objects a second annotator may have marked more or fewer; one picture is not of two classes.
    classes = all(column.type == "category" for column in columns)
    many = classes and rows > CONFLICT_ERROR * len(subject.rows)
    # Nobody knows which label is right, so all go; but not where a split would have nothing left.
    can_go = perceived and not _empties_a_split(subject, groups)
    return Finding(
        "duplicates",
        (Severity.ERROR if many else leak_severity(subject, leaked)) if perceived else Severity.NOTICE,
        rows,
        f"samples with equal inputs have different labels ({', '.join(targets)})"
        + (f", {len(leaked)} of them held out and in another split too" if leaked else ""),
        "at least one label is wrong" if perceived else "rows of a few numbers may well be equal by chance",
        "look at them, and correct or leave out" if perceived else "",
        shown(
            pair(subject, first, second, f"{labels(first)} against {labels(second)}, ")
            for first, second, *_ in ranked
        ),
        [
            Fix("leave_out", subject.names[row], "its copies have other labels")
            for rows in ranked
            for row in rows
            if can_go
        ],
    )


def _empties_a_split(subject: Subject, groups: Sequence[Rows]) -> bool:
    gone = np.concatenate(groups)
    return any(np.isin(rows, gone).all() for rows in subject.splits.values())


def _in_words(label: Any) -> str:
    """A class, or how many objects there are."""
    return counted(len(label), "object") if isinstance(label, tuple) else str(label)


def _leaks(subject: Subject, groups: Sequence[Rows], perceived: bool) -> Finding:
    ranked = [kept_first(subject, group) for group in groups]
    known = [row for rows in ranked for row in rows if subject.split_name(row) != "train"]
    return Finding(
        "duplicates",
        leak_severity(subject, known) if perceived else Severity.NOTICE,
        len(known),
        "held-out samples are in another split too",
        "their score tells what was remembered, not what was learned"
        if perceived
        else "rows of a few numbers may well be equal by chance",
        "leave the copies out, or divide by groups" if perceived else "",
        shown(pair(subject, rows[0], rows[-1], "") for rows in ranked),
        _all_but_first(subject, ranked) if perceived else (),
    )


def _repeated(subject: Subject, groups: Sequence[Rows], perceived: bool) -> Finding:
    ranked = [kept_first(subject, group) for group in groups]
    return Finding(
        "duplicates",
        Severity.WARNING if perceived else Severity.NOTICE,
        sum(len(rows) - 1 for rows in ranked),
        "samples repeat another one of their split",
        "they count more than once" if perceived else "rows of a few numbers may well be equal by chance",
        "leave the repetitions out" if perceived else "",
        shown(pair(subject, rows[1], rows[0], "") for rows in ranked),
        _all_but_first(subject, ranked) if perceived else (),
    )


def _all_but_first(subject: Subject, ranked: Sequence[Sequence[int]]) -> list[Fix]:
    return [
        Fix("leave_out", subject.names[row], f"the same as {subject.names[rows[0]]}")
        for rows in ranked
        for row in rows[1:]
    ]
