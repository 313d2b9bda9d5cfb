"""Imports and inspects a user's own components. Nothing else in the tool imports user code."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from trainwright.errors import RecipeError, UserError, closest
from trainwright.registry.info import REQUIRED, UNANNOTATED, ComponentInfo
from trainwright.registry.signatures import Argument, assemble
from trainwright.registry.tables import TABLES

_SHOWN = 10


@dataclass
class _Search:
    """Where modules of the user may lie besides the current directory and the installed packages."""

    first: tuple[Path, ...] = ()
    last: tuple[Path, ...] = ()


_search = _Search()


def search_in(first: Sequence[Path], beside: Path | None) -> None:
    """Says where the modules that a recipe names may lie; takes the place of what was said before.

    Args:
        first: Folders that are searched before all others.
        beside: Folder of the recipe's file, searched when a module is found nowhere else.
    """
    _search.first, _search.last = tuple(first), () if beside is None else (beside,)


def import_user_module(module: str) -> ModuleType:
    """Imports a module of the user.

    Searched are the folders that the recipe names, the current directory as for `python -m`, the installed
    packages, and the folder of the recipe.

    Raises:
        RecipeError: It does not exist or its import fails, with the file and line of the failure.
    """
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    top = module.partition(".")[0]
    importlib.invalidate_caches()
    _add_to_path(top, _search.first)
    if top not in sys.modules and importlib.util.find_spec(top) is None:
        # Only then: a file beside the recipe must not take the place of a package of the same name.
        _add_to_path(top, _search.last)
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise _import_error(module, error) from error


@contextmanager
def kept_running(what: str = "a component ended the program", where: str = "") -> Iterator[None]:
    """Within it, code of the user that calls `sys.exit` fails with an error instead of ending the program.

    Args:
        what: What failed thereby.
        where: Key path for the error.

    Raises:
        UserError: `SystemExit` was raised, with its code and the file and line.
    """
    try:
        yield
    except SystemExit as error:
        raise exit_error(error, what, where) from error


def exit_error(error: SystemExit, what: str = "a component ended the program", where: str = "") -> UserError:
    """The error that stands for a `sys.exit` in code of the user."""
    place = _place(error)
    return UserError(
        f"{what}: SystemExit: {error}",
        where=where,
        why=f"raised at {place}" if place else "",
        fix="let it raise an error of another kind",
    )


def _add_to_path(top: str, folders: Sequence[Path]) -> None:
    """Puts the folders that hold a module or package of that name before all others."""
    for folder in reversed(folders):
        if (folder / f"{top}.py").is_file() or (folder / top).is_dir():
            if str(folder) in sys.path:
                sys.path.remove(str(folder))
            sys.path.insert(0, str(folder))


def _import_error(module: str, error: BaseException) -> RecipeError:
    parents = [module.rsplit(".", n)[0] for n in range(module.count(".") + 1)]
    if isinstance(error, ModuleNotFoundError) and error.name in parents:
        places = list(dict.fromkeys([*_search.first, Path.cwd(), *_search.last]))
        guess = closest(error.name, _modules_in(places)) if error.name else None
        return RecipeError(
            f"there is no module `{error.name}`",
            why=f"searched in {', '.join(map(str, places))} and in the installed packages",
            fix=f"did you mean `{guess}`?"
            if guess
            else "start from the directory that holds it, name that in `code` of the recipe, or install it",
        )
    place = _place(error)
    lacks = error.name if isinstance(error, ModuleNotFoundError) else None
    fix = f"mend it; `python -c 'import {module}'` shows the same error"
    return RecipeError(
        f"module `{module}` fails to import: {type(error).__name__}: {error}",
        why=f"raised at {place}" if place else "",
        fix=f"install the package that brings {lacks}, or {fix}" if lacks else fix,
    )


def _modules_in(folders: Sequence[Path]) -> list[str]:
    """Names of the modules and packages that lie in some folders."""
    return [
        item.stem
        for folder in folders
        if folder.is_dir()
        for item in folder.iterdir()
        if item.suffix == ".py" or (item / "__init__.py").is_file()
    ]


def _place(error: BaseException) -> str:
    """`file:line` of the deepest frame that is not the import machinery."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    outside = [f for f in frames if f.filename != __file__]
    return f"{outside[-1].filename}:{outside[-1].lineno}" if outside else ""


def own_place(error: BaseException) -> str:
    """`file:line` of the innermost code that is not installed; empty where that is ours."""
    ours = Path(__file__).resolve().parents[1]
    installed = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(ours):
            return ""
        library = any(path.is_relative_to(folder) for folder in installed)
        if not library and "site-packages" not in path.parts and path.is_file():
            return f"{frame.filename}:{frame.lineno}"
    return ""


def resolve(target: str) -> Any:
    """The object behind `module:attribute`, imported. Dots in the attribute are followed.

    Raises:
        RecipeError: The module or the attribute is missing, or the import fails.
    """
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise RecipeError(f"{target!r} is not `module:attribute`", fix="such as my_package.nets:MyNet")
    module = import_user_module(module_name)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise _no_attribute(module, found, attribute, part)
        found = getattr(found, part)
    return found


def _no_attribute(module: ModuleType, owner: Any, attribute: str, part: str) -> RecipeError:
    """The error of a module without what is asked of it, or of one that hides the user's own."""
    name, file = module.__name__, getattr(module, "__file__", None)
    hidden = _hidden_by(name, file)
    if hidden is not None:
        return RecipeError(
            f"`{name}` has no `{attribute}`",
            where=file or "",
            why=f"your {hidden} is hidden by this installed module of the same name",
            fix=f"rename {hidden.name}, for example to my_{hidden.name}, and `{name}` in the recipe",
        )
    guess = closest(part, dir(owner))
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == name][:_SHOWN]
    return RecipeError(
        f"`{name}` has no `{attribute}`",
        where=file or "",
        fix=f"did you mean `{guess}`?" if guess else f"define it there; it has {', '.join(own) or 'nothing'}",
    )


def _hidden_by(name: str, file: str | None) -> Path | None:
    """A file of the user that would be this module, were there not another one."""
    for folder in (*_search.first, Path.cwd(), *_search.last):
        for path in (folder / f"{name}.py", folder / name / "__init__.py"):
            if path.is_file() and (file is None or path.resolve() != Path(file).resolve()):
                return path
    return None


def is_module(name: str) -> bool:
    """Whether there is a module or package of this name for the user, without importing it."""
    if not name.isidentifier():
        return False
    folders = (*_search.first, Path.cwd(), *_search.last)
    own = any((folder / f"{name}.py").is_file() or (folder / name).is_dir() for folder in folders)
    return own or importlib.util.find_spec(name) is not None


def describe_object(kind: str, name: str) -> ComponentInfo:
    """Describes a user's `module:attribute` by importing it.

    Raises:
        RecipeError: It cannot be imported, is not callable, or its signature is open-ended.
    """
    found = resolve(name)
    if not callable(found):
        raise RecipeError(
            f"{name} is a {type(found).__name__}, not a class or a function",
            fix=f"name the class of your {kind}, or a function that makes it",
        )
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"{name} has no signature that can be read",
            why=str(error),
            fix="wrap it in a function of your own that names its parameters",
        ) from error
    module = sys.modules[name.partition(":")[0]]
    hints = _hints(found)
    arguments = (
        [] if _has_torch_init(found) else [_argument(item, hints) for item in signature.parameters.values()]
    )
    constants = {key: _constant(module, key) for key in ("DEAD_WHEN", "VERSION")}
    constants["TARGETS"] = _target_types(kind, module)
    doc = inspect.getdoc(found) or ""
    info = assemble(kind, name, name, arguments, doc, constants, _source_file(found))
    return replace(info, user_code=True)


def _has_torch_init(found: Any) -> bool:
    """Whether a class has no `__init__` but that of `torch.nn.Module`, which takes nothing."""
    init = getattr(found, "__init__", None) if isinstance(found, type) else None
    return (getattr(init, "__module__", ""), getattr(init, "__qualname__", "")) == (
        "torch.nn.modules.module",
        "Module.__init__",
    )


def _constant(module: ModuleType, key: str) -> Any:
    value = getattr(module, key, {})
    # A module may have a VERSION string of its own, which is none of our business.
    return value if isinstance(value, dict) else {}


def _target_types(kind: str, module: ModuleType) -> tuple[str, ...]:
    """Column types that the module says its components suit. Raises RecipeError where a head's are none."""
    value = getattr(module, "TARGETS", ())
    named = isinstance(value, tuple | list) and all(isinstance(item, str) for item in value)
    if kind != "head":
        return tuple(value) if named else ()
    known = TABLES["processor"]
    # A type of the user's own may have any name, but hardly one that is nearly one of ours.
    odd = [item for item in value if item not in known and closest(item, known)] if named else []
    if named and not odd:
        return tuple(value)
    meant = [odd[0]] if odd else [value] if isinstance(value, str) else []
    guess = closest(meant[0], known) if meant else None
    raise RecipeError(
        f"there is no column type {odd[0]!r}, which TARGETS names"
        if odd
        else f"TARGETS is {value!r}, and has to be a tuple of column types",
        where=getattr(module, "__file__", None) or "",
        why="it says which types of target the heads of the module learn",
        fix=f'write TARGETS = ("{guess or "boxes"}",), or leave it out for heads that learn any type',
    )


def _hints(found: Any) -> dict[str, Any]:
    target = getattr(found, "__init__") if isinstance(found, type) else found  # noqa: B009 - mypy
    try:
        return get_type_hints(target, include_extras=True)
    except Exception:
        # Names behind TYPE_CHECKING cannot be evaluated; each annotation is then tried alone.
        space = vars(sys.modules[found.__module__]) if found.__module__ in sys.modules else {}
        return {key: _hint(text, space) for key, text in getattr(target, "__annotations__", {}).items()}


def _hint(text: Any, space: dict[str, Any]) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return eval(text, dict(space))
    except Exception:
        return UNANNOTATED


def _argument(item: inspect.Parameter, hints: dict[str, Any]) -> Argument:
    annotation = hints.get(item.name, UNANNOTATED)
    default = REQUIRED if item.default is inspect.Parameter.empty else item.default
    written = item.annotation
    empty = written is inspect.Parameter.empty
    text = "" if empty else written if isinstance(written, str) else inspect.formatannotation(written)
    return Argument(item.name, item.kind, annotation, default, text)


def _source_file(found: Any) -> str | None:
    try:
        return inspect.getsourcefile(found)
    except TypeError:
        return None
