"""What a run was made with: packages, git commit, machine. Imports none of the packages it asks about."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "trainwright",
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "pillow",
    "simplejpeg",
    "pydantic",
    "pyyaml",
    "safetensors",
    "scikit-learn",
    "pyarrow",
    "pandas",
    "matplotlib",
)
_GIT_SECONDS = 3.0


def environment() -> dict[str, Any]:
    """Everything that `run.json` records: `packages`, `git`, `hardware` and `command`."""
    return {
        "packages": packages(),
        "git": git(),
        "hardware": hardware(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def packages(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Version by distribution name, read from installed metadata; absent ones are left out."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git(directory: str | os.PathLike[str] = ".") -> dict[str, Any]:
    """`commit`, `branch` and `dirty` (tracked files changed) of a work tree; empty outside of one."""
    lines = _git(directory, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if lines is None:
        return {}
    heads = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit = heads.get("branch.oid", "")
    return {
        "commit": "" if commit == "(initial)" else commit,
        "branch": heads.get("branch.head", ""),
        "dirty": any(not line.startswith("#") for line in lines),
    }


def hardware() -> dict[str, Any]:
    """Host, system, processor, usable cores, memory in bytes and names of NVIDIA devices."""
    return {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": processor(),
        "cores": usable_cores(),
        "memory_bytes": memory_bytes(),
        "gpus": nvidia_devices(),
    }


@functools.cache
def processor() -> str:
    """The processor's model name, or the architecture where the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may use: its affinity and its control group's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _first_line("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit() and int(quota[1]):
        cores = min(cores, max(1, int(quota[0]) // int(quota[1])))
    return cores


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, or its control group's limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _first_line("/sys/fs/cgroup/memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def nvidia_devices() -> list[str]:
    """Model names as the NVIDIA driver tells them, without loading CUDA."""
    names = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in path.read_text().splitlines():
            if line.startswith("Model:"):
                names.append(line.partition(":")[2].strip())
    return names


def _git(directory: str | os.PathLike[str], *arguments: str) -> list[str] | None:
    try:
        answer = subprocess.run(
            ["git", "-C", os.fspath(directory), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # no git, or a work tree too slow to ask: the run goes on without this record
    return answer.stdout.splitlines() if answer.returncode == 0 else None


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
