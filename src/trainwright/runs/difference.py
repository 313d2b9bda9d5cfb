"""What two runs, or a run and a recipe, do not have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainwright.errors import RunError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.metrics import last_values
from trainwright.runs.scores import read_scores

MISSING = "-"


@dataclass(frozen=True)
class Change:
    """One value that differs; `MISSING` where a side has none."""

    key: str
    left: Any
    right: Any

    def __str__(self) -> str:
        from trainwright.recipe.writing import (
            flow,
        )  # brings the recipe's schema, half of what `runs list` takes

        left, right = (side if side == MISSING else flow(side) for side in (self.left, self.right))
        return f"{self.key}: {left} -> {right}"


@dataclass(frozen=True)
class RunDifference:
    """What differs between two runs.

    Attributes:
        recipe: Recipe values that differ.
        metrics: Every final metric of both, equal ones included.
        packages: Versions that differ.
    """

    recipe: list[Change]
    metrics: list[Change]
    packages: list[Change]


def difference(left: RunDirectory, right: RunDirectory) -> RunDifference:
    """Compares two runs by resolved recipe, final metrics and packages. Raises RunError."""
    metrics_left, metrics_right = final_metrics(left), final_metrics(right)
    return RunDifference(
        recipe=changes(resolved_values(left), resolved_values(right)),
        metrics=[
            Change(key, metrics_left.get(key, MISSING), metrics_right.get(key, MISSING))
            for key in sorted({*metrics_left, *metrics_right})
        ],
        packages=changes(left.record().packages, right.record().packages),
    )


def changes(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Change]:
    """Leaf values of two nested mappings that differ, by dotted key, in the order of `left`.

    A key that one of them leaves unset (null) and the other lacks makes no difference.
    """
    flat_left, flat_right = dict(flatten(left)), dict(flatten(right))
    return [
        Change(key, flat_left.get(key, MISSING), flat_right.get(key, MISSING))
        for key in dict.fromkeys([*flat_left, *flat_right])
        if flat_left.get(key) != flat_right.get(key)
    ]


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with their dotted key; list items by number. An empty mapping or list is a leaf."""
    items: Any
    if isinstance(value, Mapping) and value:
        items = value.items()
    elif isinstance(value, list | tuple) and value:
        items = enumerate(value)
    else:
        yield prefix, value
        return
    for key, item in items:
        yield from flatten(item, f"{prefix}.{key}" if prefix else str(key))


def resolved_values(run: RunDirectory) -> dict[str, Any]:
    """The resolved recipe of a run. Raises RunError."""
    import yaml  # half of what the imports of `runs list` would take, which seldom needs it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(run.resolved.read_text(), Loader=loader)
    except (OSError, yaml.YAMLError) as error:
        raise RunError(
            "the run's resolved recipe cannot be read", where=str(run.resolved), why=str(error)
        ) from error
    return value if isinstance(value, dict) else {}


def final_metrics(run: RunDirectory) -> dict[str, float]:
    """`<split>/<metric>` of the stored evaluations, else the last logged values."""
    found: dict[str, float] = {}
    for path in sorted(run.path.glob("evaluation/*/metrics.json")):
        found.update({f"{path.parent.name}/{name}": value for name, value in read_scores(path).items()})
    return found or last_values(run.metrics_file)
