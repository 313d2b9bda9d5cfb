"""One process per run: an exclusive `flock`, which the kernel gives up when its owner dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, write_all

# A probe (`holder`) takes a shared lock for some microseconds; an owner that starts then must not give up.
_TRIES, _PAUSE = 5, 0.02
_BORN = 19  # index of the start time in `_stat`
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "fuse",
    "lustre",
    "gpfs",
    "ceph",
    "9p",
    "beegfs",
    "virtiofs",
    "afs",
    "glusterfs",
)


@dataclass(frozen=True)
class Owner:
    """Who holds a lock, with enough to prove that it is dead.

    Attributes:
        pid: Process number, valid inside `namespace`.
        host: Name of the machine.
        boot: The kernel's boot id, empty where the system has none.
        namespace: PID namespace, empty where the system has none.
        born: Start time of the process in clock ticks since boot, empty where unknown.
    """

    pid: int
    host: str
    boot: str = ""
    namespace: str = ""
    born: str = ""

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        fields = _stat(os.getpid())
        born = fields[_BORN] if fields else ""
        return cls(os.getpid(), os.uname().nodename, _boot_id(), _pid_namespace(), born)

    def dead(self) -> bool:
        """True only where it is certain: same boot and PID namespace, and the process is gone.

        A process number that was given to another process is told by its start time.
        """
        here = Owner.me()
        if self.host == here.host and self.boot and here.boot and self.boot != here.boot:
            return True  # the machine was restarted
        if (self.boot, self.namespace) != (here.boot, here.namespace) or (
            not self.boot and self.host != here.host
        ):
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        fields = _stat(self.pid)
        if fields and fields[0] in "ZX":
            return True  # a zombie only waits to be reaped
        return bool(self.born and fields) and fields[_BORN] != self.born


class LockHeld(RunError):
    """Another process works on the run.

    Args:
        path: The lock file.
        owner: Its holder, None when the holder has not written its name yet.
        certain: False when the file system cannot tell whether a process of another machine lives.
    """

    def __init__(self, path: Path, owner: Owner | None, *, certain: bool = True) -> None:
        who = f"process {owner.pid} on {owner.host}" if owner else "another process"
        stop = f" or stop it (kill -INT {owner.pid} there)" if owner else ""
        super().__init__(
            f"the run is alive: {who} is working on it",
            where=str(path.parent),
            why="" if certain else "its lock file lies on a network file system and names another machine",
            fix=(
                f"wait for it{stop}; --fresh starts a new run beside it"
                if certain
                else f"make sure that {who} is gone, then delete {path}"
            ),
        )
        self.owner = owner


class RunLock:
    """Exclusive ownership of a run directory, held until `release` or the death of the process.

    Use it as a context manager, or call `acquire` and `release`.

    Args:
        path: The lock file; it stays when the lock is released.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._handle: int | None = None
        self._pid = 0

    @property
    def held(self) -> bool:
        """Whether this object holds the lock in this process."""
        return self._handle is not None and self._pid == os.getpid()

    def acquire(self) -> RunLock:
        """Takes the lock.

        Raises:
            LockHeld: Another process, or another object of this one, has it.
            StorageError: The file cannot be created or written.
        """
        if self.held:
            return self
        try:
            handle = self._locked_handle()
            try:
                owner = read_owner(self.path)
                if owner and not owner.dead() and not self._flock_decides(owner):
                    raise LockHeld(self.path, owner, certain=False)
                self._write(handle, json.dumps(asdict(Owner.me())).encode())
            except BaseException:
                os.close(handle)  # or this process would keep what it does not know that it has
                raise
        except OSError as error:
            raise StorageError(self.path, error) from error
        self._handle, self._pid = handle, os.getpid()
        return self

    def release(self) -> None:
        """Gives the lock up. Nothing happens in a forked child, which does not own it."""
        if not self.held or self._handle is None:
            return
        os.ftruncate(self._handle, 0)
        # Explicit, since a forked child may still have the file open and would keep the lock.
        fcntl.flock(self._handle, fcntl.LOCK_UN)
        os.close(self._handle)
        self._handle = None

    def __enter__(self) -> RunLock:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _locked_handle(self) -> int:
        for _ in range(_TRIES):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            if _try_flock(handle, fcntl.LOCK_EX):
                if _same_file(handle, self.path):
                    return handle
                os.close(handle)  # broken and replaced between open and lock
                continue
            os.close(handle)
            owner = read_owner(self.path)
            if owner and owner.dead():
                return self._break()
            time.sleep(_PAUSE)
        raise LockHeld(self.path, read_owner(self.path))

    def _break(self) -> int:
        """A dead owner's forked child still has the file open: puts a new file in its place."""
        guard_path = self.path.with_name(self.path.name + ".breaking")
        guard = os.open(guard_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            owner = read_owner(self.path)
            if not _try_flock(guard, fcntl.LOCK_EX) or not (owner and owner.dead()):
                raise LockHeld(self.path, owner)
            self.path.unlink()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The new name is written before the guard goes, so a second breaker sees a living owner.
                self._write(handle, json.dumps(asdict(Owner.me())).encode())
            except BaseException:
                os.close(handle)
                raise
            guard_path.unlink(missing_ok=True)
            return handle
        finally:
            os.close(guard)

    def _flock_decides(self, owner: Owner) -> bool:
        """Whether having got the lock proves that `owner` has lost it.

        Always so on a disk of one machine. A network file system may keep locks apart per machine.
        """
        me = Owner.me()
        if owner.pid == me.pid and owner.host == me.host:
            return True
        same_machine = owner.boot == me.boot if owner.boot and me.boot else owner.host == me.host
        return same_machine or not on_network(self.path)

    @staticmethod
    def _write(handle: int, data: bytes) -> None:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        write_all(handle, data)


def holder(path: str | os.PathLike[str]) -> Owner | None:
    """Who holds the lock file now, or None. Never blocks and never keeps the lock."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        free = _try_flock(handle, fcntl.LOCK_SH)
        owner = read_owner(path)
    finally:
        os.close(handle)
    if free:
        # On a network file system the lock of another machine may be invisible: its name counts then.
        foreign = owner is not None and owner.host != os.uname().nodename and not owner.dead()
        return owner if foreign and on_network(path) else None
    if owner is None:
        return Owner(0, os.uname().nodename)
    return None if owner.dead() else owner


def read_owner(path: str | os.PathLike[str]) -> Owner | None:
    """The owner that a lock file names; None when it names none, or is being written."""
    try:
        return Owner(**json.loads(Path(path).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def on_network(path: str | os.PathLike[str]) -> bool:
    """Whether the file system of `path` may be shared by machines; True when that is unknown."""
    place = os.path.realpath(path)
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return True
    for line in lines:
        fields, _, tail = line.partition(" - ")
        point = fields.split()[4].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, tail.split()[0]
    return kind.startswith(_NETWORK)


def _try_flock(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same_file(handle: int, path: Path) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(handle)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Fields of proc(5) stat from the state on; empty where there are none."""
    try:
        # The command name before them may hold spaces and parentheses.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
