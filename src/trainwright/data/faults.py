"""What happens to samples that cannot be read: stop and name them, or leave them out and count them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trainwright.data.types import Dropped
from trainwright.errors import DataError, ErrorList

if TYPE_CHECKING:
    from trainwright.recipe.schema import OnBad

_SHOWN = 20
_EXAMPLES = 3
_ADVICE = (
    (re.compile(r"^'[-+]?[\d.]*\d,\d+' is not a number"), "give the source decimal: ','"),
    (re.compile(r"is missing or NaN$"), "give the column missing: mean"),
    (
        re.compile(r"^.+: class .+ is not among the \d+ classes of training"),
        "give the column others: drop, which leaves out and counts objects of other classes",
    ),
    (
        re.compile(r"^class id .+ is not among the \d+ classes"),
        "name all classes in the column (classes) or the ids that are none (void), or give it unknown: void",
    ),
)


def refuse_or_drop(
    bad: list[Dropped], faults: Sequence[tuple[str, str]], rows: int, on_bad: OnBad
) -> list[Dropped]:
    """The samples to leave out, by the recipe's policy.

    Args:
        bad: Bad samples, perhaps several of one row.
        faults: Records that are no rows: name and reason; they get row -1.
        rows: Number of rows of the source.
        on_bad: Policy and limit.

    Raises:
        DataError: The policy is to stop, or more are bad than may be skipped.
    """
    found = [Dropped(-1, name, "", reason) for name, reason in faults] + bad
    if not found:
        return []
    if on_bad.policy != "skip":
        raise_bad(found)
    count = len({(item.row, item.name) for item in found})
    if count > on_bad.limit * (rows + len(faults)):
        raise DataError(
            f"{count} of {rows + len(faults)} samples cannot be read, more than {on_bad.limit:.2%}",
            where="data.on_bad.limit",
            why=in_groups([(item.name, item.reason) for item in found]),
            fix="mend the files, or raise the limit",
        )
    return found


def in_groups(bad: Sequence[tuple[str, str]]) -> str:
    """Reasons, most frequent first, each on a line of its own with how many samples have it and a few names.

    Args:
        bad: Name and reason of every bad sample.
    """
    groups: dict[str, list[str]] = {}
    for name, reason in bad:
        groups.setdefault(reason, []).append(name)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    lines = [_group(reason, names) for reason, names in ordered[:_SHOWN]]
    if len(ordered) > _SHOWN:
        rest = sum(len(names) for _, names in ordered[_SHOWN:])
        lines.append(f"and {rest} more for {len(ordered) - _SHOWN} other reasons")
    return "\n       ".join(lines)


def _group(reason: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]}: {reason}"
    more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
    return f"{reason}: {len(names)} times, in {', '.join(names[:_EXAMPLES])}{more}"


def advice(reasons: Iterable[str]) -> str:
    """What the recipe could say so that samples bad for one of these reasons can be read; perhaps nothing."""
    known = (text for reason in reasons for pattern, text in _ADVICE if pattern.search(reason))
    return next(known, "")


def raise_bad(found: Sequence[Dropped]) -> None:
    """Raises one error that names up to 20 bad samples and counts them all."""
    fix = "mend or remove it, or set data.on_bad: {policy: skip}"
    errors = [
        DataError(
            item.reason,
            where=f"{item.name}, column {item.column}" if item.column else item.name,
            fix="; or ".join(filter(None, [fix, advice([item.reason])])),
        )
        for item in found[:_SHOWN]
    ]
    if len(errors) == 1:
        raise errors[0]
    if len(found) > _SHOWN:
        more = f"and {len(found) - _SHOWN} more samples cannot be read"
        errors.append(DataError(more, where="data", fix="`trainwright data check` lists them all"))
    raise ErrorList([*errors])
