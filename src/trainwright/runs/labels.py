"""What people say of a run: tags and a note, kept in the run's directory apart from what the run writes."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from trainwright.errors import RunError, UserError
from trainwright.runs.atomic import write_json
from trainwright.runs.directory import RunDirectory

_TAG = re.compile(r"[^\s,]+")


@dataclass(frozen=True)
class Labels:
    """Tags and note of a run.

    Attributes:
        tags: Words without spaces and commas, sorted.
        note: Free text.
    """

    tags: tuple[str, ...] = ()
    note: str = ""

    def changed(self, add: Iterable[str] = (), remove: Iterable[str] = (), note: str | None = None) -> Labels:
        """These labels with tags added and removed, and another note where one is given.

        Raises:
            UserError: A tag has spaces or commas, or is empty.
        """
        add, remove = list(add), set(remove)
        for tag in add:
            if not _TAG.fullmatch(tag):
                raise UserError(f"{tag!r} is no tag", fix="write one word, such as baseline or paper/table-2")
        tags = sorted({*self.tags, *add} - remove)
        return Labels(tuple(tags), self.note if note is None else note.strip())


def read_labels(run: RunDirectory) -> Labels:
    """The labels of a run; none where nothing was said of it. Raises RunError where they are damaged."""
    try:
        value = json.loads(run.labels.read_bytes())
        return Labels(tuple(str(tag) for tag in value["tags"]), str(value["note"]))
    except FileNotFoundError:
        return Labels()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            "the labels of a run cannot be read",
            where=str(run.labels),
            why=str(error),
            fix="mend or delete the file",
        ) from error


def change_labels(
    run: RunDirectory, add: Iterable[str] = (), remove: Iterable[str] = (), note: str | None = None
) -> Labels:
    """Changes the labels of a run as `Labels.changed` does, one process at a time; what they are then.

    Raises:
        RunError: They are damaged.
        StorageError: They cannot be written.
        UserError: A tag has spaces or commas, or is empty.
    """
    # The directory is what is locked: the file is replaced as a whole, and a lock on it would go with it.
    folder = os.open(run.path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        before = read_labels(run)
        after = before.changed(add, remove, note)
        if after != before:
            write_labels(run, after)
        return after
    finally:
        os.close(folder)


def write_labels(run: RunDirectory, labels: Labels) -> None:
    """Replaces the labels of a run, which may be at work. Raises StorageError."""
    write_json(run.labels, asdict(labels))
    # Whoever remembers the run looks at the time of its record, not for a file that was not there.
    os.utime(run.record_file)
