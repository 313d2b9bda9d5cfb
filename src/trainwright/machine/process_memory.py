"""Memory that a process holds, and the most that it has held."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

KIB = 1024


def resident_bytes(pid: int | str = "self") -> int:
    """Bytes of a process in memory, mapped files among them; 0 where the system does not tell."""
    return _of_status(pid, "VmRSS")


def peak_bytes(pid: int | str = "self") -> int:
    """Most bytes that a process has had in memory; 0 where the system does not tell."""
    return _of_status(pid, "VmHWM")


def forget_peak() -> bool:
    """Lets the peak of this process begin anew from what it holds now; False where that cannot be."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # since Linux 4.0
        return True
    return False


def _of_status(pid: int | str, name: str) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * KIB
    except OSError:  # it has ended, or the system keeps no such files
        return 0
    return 0
