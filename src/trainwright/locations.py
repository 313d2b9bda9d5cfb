"""Where things live that are not part of a run."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Decoded data, content digests and remembered choices; safe to delete at any time.

    `TRAINWRIGHT_CACHE` when set, else `trainwright` under `XDG_CACHE_HOME` or `~/.cache`.
    """
    own = os.environ.get("TRAINWRIGHT_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "trainwright"
