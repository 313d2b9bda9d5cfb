"""Folders of sound files."""

from __future__ import annotations

from typing import ClassVar

from trainwright.data.sources.signal_files import SignalFilesSource
from trainwright.data.types import Role

_SUFFIXES = "wav wave flac ogg oga opus mp3 aif aiff aifc au snd caf w64"
AUDIO_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())


class AudioSource(SignalFilesSource):
    """Sound files: labels from class folders, or from a pattern of the files' names.

    Columns:
        audio: The file.
        label: Name of its folder, where there are several; with a pattern its fields instead.
    """

    role: ClassVar[Role] = "audio"
    suffixes = AUDIO_SUFFIXES
    what = "sound"
