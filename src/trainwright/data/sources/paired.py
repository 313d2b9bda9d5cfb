"""Pictures that belong together by their name: a blurred and a sharp one, a low and a high resolution."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.sources.grouping import group_by_folder
from trainwright.data.sources.split_words import split_of_path
from trainwright.data.types import RawFile, Role
from trainwright.errors import DataError


class PairedSource(GatheredSource):
    """A picture per column and row; those of a row have one name in sibling folders.

    `blur/a.png` and `sharp/a.png` are a row, and so are `train/s1/blur/a.png` and `train/s1/sharp/a.jpg`.
    A picture that lacks its partner is a fault.

    Args:
        root: Folder or zip archive.
        folders: Column -> its folder, such as `{input: blur, target: sharp}`: a name that may stand
            anywhere in a path, or a path from the root.
        splits: `auto` takes folders named train, val and test as splits; `ignore` joins them.
    """

    def __init__(
        self, *, root: str, folders: dict[str, str], splits: Literal["auto", "ignore"] = "auto"
    ) -> None:
        super().__init__()
        if len(folders) < 2 or len(set(folders.values())) < len(folders):
            raise DataError(
                "two different folders or more are needed",
                where="data.source.folders",
                fix="name the folder of each side",
            )
        files = FileSet(existing(root, "data.source.root"))
        self.columns: dict[str, Role] = dict.fromkeys(folders, "image")
        self.slow_columns: Collection[str] = tuple(folders)
        found: dict[str, list[RawFile]] = {column: [] for column in folders}
        groups = group_by_folder(files.under(""), folders)
        for key, members in groups.items():
            problem = _problem(members, folders)
            if problem:
                self.faults.append((next(iter(members.values()))[0], problem))
                continue
            if splits == "auto":
                self.put_in_split(split_of_path(next(iter(members.values()))[0]), len(self.names))
            self.names.append(key)
            for column in folders:
                found[column].append(files.file(members[column][0]))
        self.values = dict(found)
        outside = len(files.under("")) - sum(
            len(names) for group in groups.values() for names in group.values()
        )
        self._notes["pictures lie in none of the folders and were left out"] += outside
        self.finish(
            str(files.root),
            f"looked for folders {' and '.join(folders.values())} with pictures of equal names",
        )


def _problem(members: dict[str, list[str]], folders: dict[str, str]) -> str | None:
    for column, folder in folders.items():
        if column not in members:
            return f"it has no partner in {folder}"
        if len(members[column]) > 1:
            return f"{' and '.join(members[column])} have one name"
    return None
