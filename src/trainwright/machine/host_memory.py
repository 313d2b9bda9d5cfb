"""Memory of the host that a process may still take: the machine's, its control groups' and its own limits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KIB = 1024


@dataclass(frozen=True)
class HostMemory:
    """What is left, and what leaves the least.

    Attributes:
        free: Bytes that can still be taken, those of files in the kernel's cache among them.
        total: Bytes that there are.
        of: Whose memory it is, in words: this machine's, a control group's, or a limit of the process.
    """

    free: int
    total: int
    of: str


@dataclass(frozen=True)
class Holder:
    """A process that holds memory.

    Attributes:
        pid: Its number; 0 where it is not told.
        name: Its name.
        held: Bytes.
    """

    pid: int
    name: str
    held: int


def host_memory(root: Path = Path("/")) -> HostMemory | None:
    """What is left of the memory of this host for this process, swap not counted.

    Args:
        root: Where `proc` and `sys` are.

    Returns:
        The narrowest of all limits; None where the system does not tell.
    """
    numbers = _numbers(root / "proc/meminfo", KIB)
    if "MemAvailable" not in numbers or "MemTotal" not in numbers:
        return None
    found = [HostMemory(numbers["MemAvailable"], numbers["MemTotal"], "this machine")]
    found += [*_control_groups(root), *_own_limits(root)]
    return min(found, key=lambda item: item.free)


def _control_groups(root: Path) -> Iterator[HostMemory]:
    """Limits of the process's control group and of those around it, of both versions of their interface."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            base, names = (
                root / "sys/fs/cgroup/memory",
                ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
            )
        else:
            continue
        for group in (Path(path), *Path(path).parents):
            folder = base / str(group).lstrip("/")
            limit, used = _text(folder / names[0]), _text(folder / names[1])
            if (
                not (limit.isdigit() and used.isdigit()) or int(limit) >= 1 << 60
            ):  # no limit, as version 1 says it
                continue
            stat = _numbers(folder / "memory.stat", 1)
            # Pages of files are given up before anything is refused.
            files = stat.get(f"{names[2]}inactive_file", 0) + stat.get(f"{names[2]}active_file", 0)
            free = int(limit) - max(0, int(used) - files)
            yield HostMemory(max(0, free), int(limit), f"the control group {group}")


def _own_limits(root: Path) -> Iterator[HostMemory]:
    """What `ulimit` leaves."""
    try:
        import resource
    except ImportError:  # a system without such limits
        return
    taken = _numbers(root / "proc/self/status", KIB)
    for kind, name, told in (
        (resource.RLIMIT_AS, "VmSize", "the process (ulimit -v)"),
        (resource.RLIMIT_DATA, "VmData", "the process (ulimit -d)"),
    ):
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY and name in taken:
            yield HostMemory(max(0, limit - taken[name]), limit, told)


def largest_holders(count: int = 3, root: Path = Path("/")) -> list[Holder]:
    """Other processes that hold the most memory, the largest first; those below 64 MiB are left out."""
    page = os.sysconf("SC_PAGE_SIZE")
    found = []
    for folder in (root / "proc").glob("[0-9]*"):
        words = _text(folder / "statm").split()
        if len(words) < 3 or int(folder.name) == os.getpid():
            continue
        own = (int(words[1]) - int(words[2])) * page  # resident less shared
        if own >= 64 << 20:
            found.append(Holder(int(folder.name), _text(folder / "comm") or "a process", own))
    return sorted(found, key=lambda holder: -holder.held)[:count]


def _numbers(path: Path, unit: int) -> dict[str, int]:
    """`name value` or `name: value kB` per line."""
    found = {}
    for line in _text(path).splitlines():
        words = line.replace(":", " ").split()
        if len(words) > 1 and words[1].isdigit():
            found[words[0]] = int(words[1]) * unit
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:  # another kind of system, or a process that has ended
        return ""
