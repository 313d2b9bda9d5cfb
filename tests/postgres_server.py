"""A PostgreSQL server of a test's own, on a free port, in a folder that goes away with it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_INSTALLED = "/usr/lib/postgresql/*/bin"


def missing() -> str:
    """Why there can be no server here; empty where there can be one."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed: install trainwright[postgres]"
    if _program("initdb") is None or _program("pg_ctl") is None:
        return f"initdb and pg_ctl are neither on the path nor in {_INSTALLED}"
    return "" if _user() is not None else "PostgreSQL refuses to run as root, and there is no other user"


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Starts a server that forgets everything, and gives its URL."""
    user = _user()
    assert user is not None
    folder = Path(tempfile.mkdtemp(prefix="trainwright-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user.pw_name)
    data, port = folder / "data", _free_port()
    control = [str(_program("pg_ctl")), "-D", str(data), "-w"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        _run([str(_program("initdb")), "-D", str(data), "-U", "tests", "-A", "trust", "--no-sync"], folder)
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"], folder)
        try:
            yield f"postgresql://tests@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    user = _user()
    assert user is not None
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with (folder / "output").open("ab") as output:
        made = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, **who
        )
    assert made.returncode == 0, (folder / "output").read_text()


def _user() -> pwd.struct_passwd | None:
    """Who runs the server: this user, or another one in place of root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _program(name: str) -> Path | None:
    found = shutil.which(name)
    places = [Path(found)] if found else sorted(Path("/").glob(f"{_INSTALLED[1:]}/{name}"))
    return places[-1] if places else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
