"""Files that belong together because they have the same name in sibling folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trainwright.data.sources.file_set import stem


def group_by_folder(names: Iterable[str], folders: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """Sorts files into groups: `train/blur/a.png` and `train/sharp/a.jpg` are one.

    Args:
        names: Names of files, relative to the root.
        folders: Column -> its folder: a single name, which may stand anywhere in a path, or a path from
            the root.

    Returns:
        Name of the group (the path without the folder and the suffix) -> column -> files, in the order
        of the names. Files in none of the folders are in no group.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    for name in names:
        for column, folder in folders.items():
            rest = _without(name, folder)
            if rest is not None:
                groups.setdefault(stem(rest), {}).setdefault(column, []).append(name)
                break
    return groups


def _without(name: str, folder: str) -> str | None:
    """The path without the folder, None where it does not lie in it."""
    if "/" in folder:
        return name[len(folder) + 1 :] if name.startswith(f"{folder}/") else None
    parts = name.split("/")
    if folder not in parts[:-1]:
        return None
    parts.remove(folder)
    return "/".join(parts)
