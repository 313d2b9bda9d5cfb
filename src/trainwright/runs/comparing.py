"""Several runs side by side: which of them are one recipe, what differs, whether their data are the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainwright.errors import UserError
from trainwright.runs.convergence import convergence
from trainwright.runs.difference import Change, changes, final_metrics, resolved_values
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import split_id
from trainwright.runs.record import RunRecord

# What people call a recipe makes no other recipe of it.
_WORDS = ("name", "description")


@dataclass(frozen=True)
class ComparedRun:
    """One run.

    Attributes:
        run: Its directory.
        record: Its record.
        recipe: Its resolved recipe.
        metrics: Final metrics, `<split>/<name>`, and how soon it converged, `run/<name>`.
    """

    run: RunDirectory
    record: RunRecord
    recipe: Mapping[str, Any]
    metrics: Mapping[str, float]

    @property
    def seed(self) -> Any:
        """Its `train.seed`."""
        return _section(self.recipe, "train").get("seed")


@dataclass(frozen=True)
class RunGroup:
    """Runs of one recipe, which differ in `train.seed` only.

    Attributes:
        name: What tells the group from others.
        runs: At least one.
    """

    name: str
    runs: Sequence[ComparedRun]

    def values(self, metric: str) -> list[float]:
        """A final metric of those runs that have it."""
        return [item.metrics[metric] for item in self.runs if metric in item.metrics]


def read_compared(run: RunDirectory) -> ComparedRun:
    """Reads a run. Raises RunError."""
    record = run.record()
    metrics = {**final_metrics(run), **convergence(run, record)}
    return ComparedRun(run, record, resolved_values(run), metrics)


def groups_of(runs: Sequence[ComparedRun]) -> list[RunGroup]:
    """Runs by recipe, in the order of their first ones.

    A run with the seed of another of its recipe stays in the group: it was run twice. One that was made of
    others, merged or combined, is no further training and stands alone.

    Raises:
        UserError: There are fewer than two runs.
    """
    if len(runs) < 2:
        raise UserError("a comparison needs at least two runs", fix="name more, or a glob that means several")
    found: dict[str, list[ComparedRun]] = {}
    for item in runs:
        found.setdefault(_identity(item), []).append(item)
    return [RunGroup(_name(members), members) for members in found.values()]


def recipe_differences(groups: Sequence[RunGroup]) -> dict[str, list[Any]]:
    """Key path -> its value in each group, of values that are not the same in all."""
    first = plain(groups[0].runs[0].recipe)
    others = [{c.key: c for c in changes(first, plain(group.runs[0].recipe))} for group in groups[1:]]
    keys = dict.fromkeys(key for other in others for key in other)
    table: dict[str, list[Any]] = {}
    for key in keys:
        here = next(other[key].left for other in others if key in other)
        table[key] = [here, *(_right(other.get(key), here) for other in others)]
    return table


def plain(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe without its words and seed; a list of plain values is one value, as a person sees it."""
    kept = {key: _lists_as_values(value) for key, value in recipe.items() if key not in _WORDS}
    if isinstance(kept.get("train"), dict):
        kept["train"] = {key: value for key, value in kept["train"].items() if key != "seed"}
    return kept


def other_data(first: ComparedRun, second: ComparedRun) -> str:
    """Why the data of two runs are not the same, in words; empty where they are, or it is not known."""
    left, right = (str(item.record.data.get("fingerprint", "")) for item in (first, second))
    if left and right and left != right:
        return f"other data: fingerprint {right[:12]} instead of {left[:12]}"
    return ""


def other_split(first: ComparedRun, second: ComparedRun, split: str) -> str:
    """Why a split of two runs is not known to be the same, in words; empty where the recipes divide alike."""
    left, right = ({"split": _section(item.recipe, "data").get("split")} for item in (first, second))
    divided = changes(left, right)
    if divided:
        return f"other split: {'; '.join(map(_in_words, divided))}"
    sizes = [item.record.data.get("sizes", {}).get(split) for item in (first, second)]
    if None not in sizes and sizes[0] != sizes[1]:
        return f"other samples: {split} has {sizes[1]:,} instead of {sizes[0]:,}"
    return ""


def as_text(value: Any) -> str:
    """A recipe value for a cell."""
    if value is None:
        return "null"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _in_words(change: Change) -> str:
    return f"{change.key} {as_text(change.right)} instead of {as_text(change.left)}"


def _right(change: Change | None, same: Any) -> Any:
    return same if change is None else change.right


def _section(recipe: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = recipe.get(name)
    return value if isinstance(value, Mapping) else {}


def _identity(item: ComparedRun) -> str:
    """Equal for runs of one recipe on the same data; by what makes a run another, where the record has it."""
    parts = dict(item.record.parts)
    recipe = parts.get("recipe")
    if isinstance(recipe, Mapping):
        parts["recipe"] = plain(recipe)
    else:
        parts = {"recipe": plain(item.recipe), "data": item.record.data.get("fingerprint")}
    if item.record.merged or any("member" in parent for parent in item.record.parents):
        parts["made of others"] = str(item.run.path)
    return json.dumps(parts, sort_keys=True, default=str)


def _name(members: Sequence[ComparedRun]) -> str:
    if len(members) == 1:
        return members[0].run.id
    names = dict.fromkeys(split_id(item.run.id)[0] for item in members)
    salt = split_id(members[0].run.id)[1]
    seeds = len({str(item.seed) for item in members})
    words = f"{seeds} seeds" if seeds == len(members) else f"{len(members)} runs, {_counted(seeds)}"
    return f"{next(iter(names))}{f'-{salt[:4]}' if salt else ''} ({words})"


def _counted(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"{seeds} seeds"


def _lists_as_values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lists_as_values(item) for key, item in value.items()}
    if isinstance(value, list) and value and not any(isinstance(item, Mapping | list) for item in value):
        return json.dumps(value, ensure_ascii=False)
    return [_lists_as_values(item) for item in value] if isinstance(value, list) else value


def shared(keys_of: Iterable[Iterable[str]]) -> list[str]:
    """Keys that at least two have, in the order in which they are met."""
    counts: dict[str, int] = {}
    for keys in keys_of:
        for key in dict.fromkeys(keys):
            counts[key] = counts.get(key, 0) + 1
    return [key for key, count in counts.items() if count > 1]
