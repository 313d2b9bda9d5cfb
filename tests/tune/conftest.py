"""Where a study is kept: what is true of one is tested on a file and on a real server."""

import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import postgres_server


@pytest.fixture(scope="session")
def postgresql():
    """The URL of a server of our own."""
    if reason := postgres_server.missing():
        pytest.skip(reason)
    with postgres_server.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Place and name of a study; a database has many, so each test has a name of its own."""
    if request.param == "sqlite":
        return str(tmp_path / "a.study"), "a"
    return request.getfixturevalue("postgresql"), uuid.uuid4().hex
