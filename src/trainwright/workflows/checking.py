"""Everything that can be known before the first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.data.types import PreparedData
from trainwright.progress import NoProgress
from trainwright.wording import counted
from trainwright.workflows import gate
from trainwright.workflows.trainable import refuse_untrainable
from trainwright.workflows.training import Background, check_report_splits, load_data

if TYPE_CHECKING:
    from trainwright.recipe import LoadedRecipe


@dataclass(frozen=True)
class CheckReport:
    """What a check found; what has to change is raised as an error instead.

    Attributes:
        lines: In words, one finding a line.
    """

    lines: list[str]


def check(
    recipe: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    data: Any = None,
    runs_dir: str | Path = "runs",
    probe: bool = False,
) -> CheckReport:
    """Loads the recipe, reads and fits the data, builds the model and runs two samples through it.

    Whatever `train` refuses before its first step is refused here with the same error; of a recipe without
    targets, or with such as no model learns, `gate.check_data` checks the data.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: Key path -> value, or `a.b=value` strings.
        data: In-memory data in place of the recipe's source.
        runs_dir: Where its runs are to be made.
        probe: Measure memory and time of a step, in a process of its own, also where there is plenty.

    Raises:
        UserError: Something has to change before it can be trained.
    """
    loaded = recipes.load(recipe, overrides)
    with recipes.located(loaded):
        refuse_untrainable(loaded.recipe)
    preparing = Background(lambda: load_data(loaded, NoProgress(), data=data))
    # Imports torch: its seconds of import pass while workers decode the data.
    from trainwright.workflows.session import Session

    with recipes.located(loaded), Session(loaded, NoProgress(), wait=False) as session:
        prepared = preparing.result()
        lines = _check_data(loaded, prepared)
        lines += session.check(prepared, Path(runs_dir), probe=probe)
    return CheckReport([*lines, "everything that can be checked before the first step is in order"])


def _check_data(loaded: LoadedRecipe, prepared: PreparedData) -> list[str]:
    """What is known of the data, in words. Raises UserError where something has to be mended."""
    check_report_splits(loaded.recipe, prepared)
    findings = gate.quick_check(loaded.recipe.data, prepared)
    gate.refuse_errors(loaded.recipe.data, findings)
    return [*loaded.notices, *prepared.notices, *_about_data(prepared), *gate.told(findings)]


def _about_data(data: PreparedData) -> list[str]:
    sizes = ", ".join(f"{name} {len(rows)}" for name, rows in data.splits.items())
    lines = [f"data: {sizes}"]
    for group, columns in (("input", data.inputs), ("target", data.targets)):
        for name, processor in columns.items():
            spec = processor.spec()
            what = (
                counted(len(spec.classes), "class", "classes")
                if spec.classes
                else f"shape {list(spec.shape)}"
            )
            lines.append(f"{group} {name}: {spec.type}, {what}")
    if data.dropped:
        left_out = counted(len(data.dropped), "sample is", "samples are")
        lines.append(f"{left_out} left out, the first is {data.dropped[0].name}")
    return lines
