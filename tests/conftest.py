"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data; tests that need it are skipped where it is absent."""
    named = os.environ.get("TRAINWRIGHT_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set TRAINWRIGHT_SHARED_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Decoded data and remembered choices of tests stay out of the user's cache."""
    os.environ["TRAINWRIGHT_CACHE"] = str(tmp_path_factory.mktemp("cache"))
