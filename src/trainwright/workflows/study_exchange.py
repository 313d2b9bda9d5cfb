"""Studies in and out: merged with others, pushed to a database, and as a study of Optuna's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from trainwright import recipe as recipes
from trainwright.errors import RunError
from trainwright.recipe.space import space_of
from trainwright.tune.merging import merged
from trainwright.tune.store import Store
from trainwright.workflows.studies import OpenStudy, escaped, open_study, refuse_another


def merge_studies(names: Sequence[str], place: str, *, runs_dir: str | Path) -> list[str]:
    """Writes the ended trials of studies of one recipe into a new study; what was done, in lines.

    One study alone is copied: so a file is pushed to a database, or a database becomes one file.

    Args:
        names: Studies by name, file or URL.
        place: File or URL of the new study.
        runs_dir: Where names are looked for.

    Raises:
        RunError: The studies are of different recipes, or the new place has trials already.
    """
    with ExitStack() as closing:
        opened = [closing.enter_context(open_study(name, runs_dir=runs_dir)) for name in names]
        first = opened[0].store.study()
        for other in opened[1:]:
            refuse_another(first.recipe, other.store.study().recipe, other.place)
        found = merged([item.store for item in opened])
        target, _, study = place.partition("#")
        new = closing.enter_context(Store(target, study or opened[0].store.name))
        new.create(first.recipe, first.limit)
        if new.trials():
            raise RunError("the new study has trials already", where=place, fix="give another file or name")
        refuse_another(first.recipe, new.study().recipe, place)
        new.adopt(found.trials, once=opened[0].study.is_grid)
    lines = [f"{len(found.trials)} trials of {len(opened)} studies in {place}"]
    if found.twice:
        lines.append(f"{found.twice} were there twice: the one that came farthest is kept")
    if found.unfinished:
        lines.append(f"{found.unfinished} that wait or run are left out")
    return lines


def to_optuna(opened: OpenStudy, url: str) -> list[str]:
    """Writes a study as one of Optuna's; what was done, in lines. Raises RunError, MissingExtra."""
    from trainwright.tune.optuna_storage import write_optuna

    tune, store = opened.tune, opened.store
    recipe = recipes.load({**escaped(opened.base), "tune": tune.model_dump()}).recipe
    trials = store.trials()
    count = write_optuna(url, store.name, space_of(recipe), tune.objectives, trials, store.curves())
    lines = [f"{count} trials as the study {store.name} in {url}", f"  optuna-dashboard {url}"]
    if count < len(trials):
        lines.append(f"{len(trials) - count} that wait or run are left out")
    return lines
