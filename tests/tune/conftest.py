"""Where a study is kept: what is true of one is tested on a file and on a real server."""

import uuid

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Place and name of a study; a database has many, so each test has a name of its own."""
    if request.param == "sqlite":
        return str(tmp_path / "a.study"), "a"
    return request.getfixturevalue("postgresql"), uuid.uuid4().hex
