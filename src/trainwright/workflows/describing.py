"""A recipe for whatever a person points at: their own, or one for data that nobody has described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright.data.sources.file_tree import IMAGE_SUFFIXES

Given = str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Described:
    """What to load.

    Attributes:
        recipe: A file, the name of a shipped recipe, or a mapping.
        whole: Split that takes all rows, where nobody has divided them; else None.
        guessed: Whether the recipe was made up for a path.
    """

    recipe: Given
    whole: str | None = None
    guessed: bool = False


def describe(given: Given) -> Described:
    """A recipe as it is; for a path of data the recipe that `init` would write.

    Images of which nothing else is known are taken as they are, without labels.

    Raises:
        UserError: There are data at the path, and they are of no known kind.
    """
    path = Path(given) if isinstance(given, str | Path) else None
    if path is None or path.suffix in (".yaml", ".yml") or not path.exists():
        return Described(given)
    from trainwright.data.sniffing import Undescribed, sniff
    from trainwright.recipe.yaml12 import parse
    from trainwright.workflows.first_recipe import first_recipe, recipe_name

    loose = path.is_dir() and any(item.suffix.lower() in IMAGE_SUFFIXES for item in path.iterdir())
    try:
        guess = sniff(path)
        if loose and guess.source["name"] == "folder":
            return _unlabelled(path, recipe_name(path))
        text = first_recipe(guess, recipe_name(path), str(path), command="")
    except Undescribed:
        if not (loose or path.suffix.lower() in (*IMAGE_SUFFIXES, ".zip")):
            raise
        return _unlabelled(path, recipe_name(path))
    plain = parse(text, str(path)).plain()
    divided = guess.given_training is not None
    if not divided:
        plain["data"].pop("split", None)
    return Described(plain, None if divided else "train", guessed=True)


def _unlabelled(path: Path, name: str) -> Described:
    """Images of which nothing is known but that they are images."""
    recipe = {
        "name": name,
        "data": {
            "source": {"name": "pictures", "root": str(path)},
            "inputs": {"image": {"type": "image", "size": 64, "resize": "letterbox"}},
        },
        "model": "mlp",
    }
    return Described(recipe, "train", guessed=True)
