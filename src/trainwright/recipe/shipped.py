"""Recipes that ship, and finding a recipe by name or file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trainwright.errors import RecipeError, closest
from trainwright.recipe.yaml12 import VARIABLE, parse_open

FOLDER = Path(__file__).parents[1] / "recipes"


@dataclass(frozen=True)
class ShippedRecipe:
    """A recipe of this package.

    Attributes:
        name: How it is called on the command line.
        path: Its file.
        launch: The command that runs it: the first comment line of the file.
        description: Its `description`.
        variables: Environment variables that it reads -> what stands for one that is not set; None where
            it has to be set, or the value with it overridden.
    """

    name: str
    path: Path
    launch: str
    description: str
    variables: dict[str, str | None]

    @property
    def needs(self) -> str:
        """The variables in words: `WEIGHTS, DATA (else .)`."""
        return ", ".join(
            name if default is None else f"{name} (else {default})"
            for name, default in self.variables.items()
        )


def shipped_names() -> list[str]:
    """Names of all recipes that ship, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def shipped() -> list[ShippedRecipe]:
    """All recipes that ship, by name."""
    return [_read(FOLDER / f"{name}.yaml") for name in shipped_names()]


def read_shipped(name: str) -> ShippedRecipe:
    """One recipe that ships. Raises RecipeError."""
    return _read(find(name))


def _read(path: Path) -> ShippedRecipe:
    text = path.read_text(encoding="utf-8")
    first = text.split("\n", 1)[0]
    tree = parse_open(text, path.name, environment={})
    said = tree.child("description")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    named = [found for line in lines for found in VARIABLE.finditer(line) if not found["escaped"]]
    base = tree.child("extends")
    inherited = _read(FOLDER / str(base.value)).variables if base else {}
    return ShippedRecipe(
        path.stem,
        path,
        first.lstrip("# ").strip(),
        str(said.value) if said else "",
        inherited | {found["name"]: found["default"] for found in named},
    )


def find(recipe: str | Path) -> Path:
    """The file of a recipe.

    Args:
        recipe: A path, or the name of a shipped recipe. A name alone, without suffix or separator,
            is a shipped recipe; a file of that name in the current directory needs `./`.

    Raises:
        RecipeError: There is no such file or name.
    """
    text = str(recipe)
    if isinstance(recipe, str) and re.fullmatch(r"[\w-]+", text):
        if text in shipped_names():
            return FOLDER / f"{text}.yaml"
        raise _unknown(text)
    if not text.strip():
        raise RecipeError("no recipe is named", fix=f"give a file, or one of: {', '.join(shipped_names())}")
    path = Path(recipe).expanduser()
    if path.is_dir():
        raise RecipeError(
            "this is a directory", where=text, fix="give a recipe file, such as recipe.yaml in it"
        )
    if not path.exists():
        raise RecipeError("there is no such recipe file", where=text, fix=_similar(path))
    return path


def _unknown(name: str) -> RecipeError:
    known = shipped_names()
    guess = closest(name, known)
    hint = f"did you mean `{guess}`? " if guess else ""
    own = f"for a file of your own write ./{name}. " if Path(name).exists() else ""
    own += f"did you mean the file {name}.yaml? " if Path(f"{name}.yaml").exists() else ""
    return RecipeError(
        f"no recipe named `{name}` ships", fix=f"{hint}{own}shipped: {', '.join(known)}; or give a file.yaml"
    )


def _similar(path: Path) -> str:
    folder = path.parent
    near = closest(path.name, [item.name for item in folder.glob("*.y*ml")]) if folder.is_dir() else None
    return f"did you mean {folder / near}?" if near else "`trainwright recipes` lists those that ship"


def copy_recipe(name: str, target: str | Path) -> Path:
    """Copies a shipped recipe to a file, or into a directory.

    Returns:
        The new file.

    Raises:
        RecipeError: There is no such recipe, or the file exists.
    """
    source = find(name)
    path = Path(target)
    path = path / source.name if path.is_dir() else path
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(source.read_text(encoding="utf-8"))
    except FileExistsError as error:
        fix = "give another name, or remove it first"
        raise RecipeError("the file exists and is not overwritten", where=str(path), fix=fix) from error
    except OSError as error:
        raise RecipeError(
            f"cannot be written: {error.strerror}", where=str(path), fix="choose a folder that may be written"
        ) from error
    return path
