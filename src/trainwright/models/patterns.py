"""Glob patterns that name weights."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from trainwright.errors import ModelError, closest

_SHOWN = 8


def matches(name: str, pattern: str) -> bool:
    """Whether a glob pattern names this weight, or a module that it belongs to."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, pattern + ".*")


def matches_any(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns does."""
    return any(matches(name, pattern) for pattern in patterns)


def check_patterns(patterns: Sequence[str], names: Sequence[str], where: str) -> None:
    """Refuses a pattern that names nothing.

    Args:
        patterns: From the recipe.
        names: All weights that they may name.
        where: Key path of the patterns.

    Raises:
        ModelError: A pattern names none of the weights.
    """
    for pattern in patterns:
        if not any(matches(name, pattern) for name in names):
            guess = closest(pattern.rstrip(".*"), _modules(names))
            raise ModelError(
                f"the pattern {pattern!r} names no weight",
                where=where,
                fix=f"did you mean {guess!r}?" if guess else f"the weights are {listed(list(names))}",
            )


def _modules(names: Sequence[str]) -> list[str]:
    """Every module on the way to one of these weights, and the weights."""
    found: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        found |= dict.fromkeys(".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return list(found)


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
