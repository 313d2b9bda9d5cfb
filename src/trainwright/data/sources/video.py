"""Folders of video clips."""

from __future__ import annotations

from typing import ClassVar

from trainwright.data.sources.signal_files import SignalFilesSource
from trainwright.data.types import Role

_SUFFIXES = "mp4 m4v mov avi mkv webm mpg mpeg wmv flv ogv 3gp mts"
VIDEO_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())


class VideoSource(SignalFilesSource):
    """Video clips: labels from class folders, or from a pattern of the files' names.

    Columns:
        video: The file.
        label: Name of its folder, where there are several; with a pattern its fields instead.
    """

    role: ClassVar[Role] = "video"
    suffixes = VIDEO_SUFFIXES
    what = "video"
