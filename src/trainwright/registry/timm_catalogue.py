"""Names of timm's models, read from its source: importing timm takes seconds."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
from functools import lru_cache
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)
_CONFIGURED = re.compile(r"^\s+[\"']([A-Za-z]\w*)\.([\w.\-]+)[\"']\s*:", re.MULTILINE)

Names = dict[str, tuple[str, ...]]


def _folder() -> Path | None:
    spec = importlib.util.find_spec("timm")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "models"


@lru_cache(maxsize=1)
def timm_names() -> Names:
    """Every architecture of the installed timm and the tags of its pretrained weights, sorted.

    Takes 60 ms once for each installed timm, then 1 ms a process; empty where timm is not installed.
    """
    folder = _folder()
    if folder is None:
        return {}
    stored = _cache_file(folder)
    try:
        known = json.loads(stored.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = read_names(folder)
        _store(stored, known)
    return {name: tuple(tags) for name, tags in known.items()}


def read_names(folder: Path) -> Names:
    """Architectures and tags that the sources in `folder` register."""
    names: set[str] = set()
    tags: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        names.update(_REGISTERED.findall(text))
        for name, tag in _CONFIGURED.findall(text):
            tags.setdefault(name, []).append(tag)
    return {name: tuple(tags.get(name, ())) for name in sorted(names)}


def _cache_file(folder: Path) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    state = f"{folder}:{folder.stat().st_mtime_ns}:{(folder.parent / 'version.py').stat().st_mtime_ns}"
    return Path(root) / "trainwright" / f"timm-{hashlib.sha256(state.encode()).hexdigest()[:16]}.json"


def _store(path: Path, names: Names) -> None:
    # A cache that cannot be written (read-only home, full disk) costs 60 ms, not an error.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(names), encoding="utf-8")
        temporary.replace(path)


def is_timm_name(name: str) -> bool:
    """Whether timm builds a model of this name, with or without a tag of pretrained weights."""
    architecture, dot, tag = name.partition(".")
    tags = timm_names().get(architecture)
    # Where timm makes the tags in a loop they are not in its source: the model builder checks those.
    return tags is not None and (not dot or not tags or tag in tags)
