"""What all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

import postgres_server

ROOT = Path(__file__).resolve().parents[1]

# A test is never failed for the time it took: a busy machine would fail it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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


@pytest.fixture(autouse=True)
def forgotten_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Modules that a test wrote and imported are not those of the next test with a module of that name."""
    before = set(sys.modules)
    yield
    written = str(tmp_path_factory.getbasetemp())
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(written):
            del sys.modules[name]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own; tests that need it are skipped where there can be none."""
    if reason := postgres_server.missing():
        pytest.skip(reason)
    with postgres_server.server() as url:
        yield url


@pytest.fixture(scope="session")
def make_photos() -> Callable[..., Path]:
    """Writes a folder per class with small pictures in a colour of the class, and gives the folder."""

    def make(folder: Path, classes: Sequence[str] = ("cat", "dog"), each: int = 8, size: int = 16) -> Path:
        for number, name in enumerate(classes):
            (folder / name).mkdir(parents=True)
            for index in range(each):
                noise = np.random.default_rng((number, index)).integers(0, 120, (size, size, 3))
                noise[..., number % 3] += 130
                Image.fromarray(noise.astype(np.uint8)).save(folder / name / f"{index}.png")
        return folder

    return make
