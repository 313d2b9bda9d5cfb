"""Folders of video clips."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.guess import Guess, missing_split, named_splits, training_rows
from trainwright.data.sources.files import FilesSource, only_these


def detect(path: Path) -> Guess | None:
    """A folder or archive with video clips and no pictures or sounds."""
    if not only_these(path, "video"):
        return None
    source = FilesSource(root=str(path), kind="video")
    given = source.splits()
    notes = [f"{len(source)} video clips", *([f"splits {named_splits(given)}"] if given else [])]
    labelled = "label" in source.columns
    if not labelled:
        notes.append("nothing labels them: there is no target to learn")
    return Guess(
        {"name": "files", "root": str(path), "kind": "video"},
        {"video": {"type": "video", "size": 112, "frames": 16}},
        {"label": {"type": "category"}} if labelled else {},
        missing_split(source),
        len(source),
        [*notes, *source.notices],
        training_rows(source),
    )
