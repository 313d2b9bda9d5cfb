"""Look at this machine: cores, memory, disk, devices, versions, caches, and what is missing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from trainwright.cli.common import add_runs_dir, say, say_json
from trainwright.wording import size_text

# Which extras there are and what they install is read from the package; this is what each is for.
PURPOSES: dict[str, str] = {
    "jpeg": "JPEG files decode in half the time",
    "coco": "masks and scores as COCO's own tools have them",
    "audio": "sound files",
    "video": "video files",
    "huggingface": "data sets of the Hugging Face hub",
    "postgres": "studies that several machines work on",
    "track": "MLflow and W&B as sinks",
    "tune": "searches that learn from their trials: tpe, gp, cmaes, nsga2, nsga3",
}
_PROBE = """
import json, torch
devices = []
if torch.cuda.is_available():
    for i in range(torch.cuda.device_count()):
        p = torch.cuda.get_device_properties(i)
        devices.append({"device": f"cuda:{i}", "name": p.name, "memory_bytes": p.total_memory,
                        "capability": f"{p.major}.{p.minor}"})
if torch.backends.mps.is_available():
    devices.append({"device": "mps", "name": "Apple GPU"})
print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda, "devices": devices,
                  "threads": torch.get_num_threads(), "capability": torch.backends.cpu.get_cpu_capability()}))
"""
_OF_EXTRA = re.compile(r"extra == ['\"]([\w.-]+)['\"]")
_PROBE_SECONDS = 120
_SPEED_BYTES = 16 << 20
_ENOUGH_DISK = 5 << 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs_dir(parser)
    parser.add_argument("--json", action="store_true", help="machine output")


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found; 1 when something keeps trainwright from working."""
    found = examine(Path(arguments.runs_dir))
    if arguments.json:
        say_json(found)
    else:
        for line in lines(found):
            say(line)
    return 1 if found["problems"] else 0


def examine(runs_dir: Path) -> dict[str, Any]:
    """Everything about this machine as plain values, `problems` and `extras` among them."""
    from trainwright.locations import cache_dir
    from trainwright.runs.environment import hardware, packages

    found: dict[str, Any] = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "hardware": hardware(),
        "packages": packages(),
        "torch": probe_torch(),
        "runs": _directory(runs_dir),
        "cache": {**_directory(cache_dir()), "bytes": _size(cache_dir())},
        "extras": extras(),
        "problems": [],
    }
    found["problems"] = _problems(found)
    return found


def probe_torch() -> dict[str, Any]:
    """What torch says of itself and its devices, asked in a process of its own: its crash is not ours."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"importing torch took longer than {_PROBE_SECONDS} s"}
    if answer.returncode != 0:
        last = answer.stderr.strip().splitlines()[-1:] or [f"exit code {answer.returncode}"]
        return {"error": last[0]}
    probed: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return probed


def extras() -> list[dict[str, Any]]:
    """The extras of this package: name, purpose, packages, whether all are installed, and how to install."""
    needed: dict[str, list[str]] = {
        name: [] for name in metadata.metadata("trainwright").get_all("Provides-Extra") or []
    }
    for requirement in metadata.requires("trainwright") or []:
        found = _OF_EXTRA.search(requirement)
        if found:
            needed.setdefault(found[1], []).append(_package(requirement))
    return [
        {
            "extra": name,
            "purpose": PURPOSES.get(name, ""),
            "packages": packages,
            "installed": all(map(_installed, packages)),
            "install": f"pip install 'trainwright[{name}]'",
        }
        for name, packages in needed.items()
    ]


def _package(requirement: str) -> str:
    """The name in a requirement such as `simplejpeg>=1.8; extra == "jpeg"`."""
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]


def write_speed(directory: Path) -> float:
    """Bytes a second of a synced write of 16 MiB. Raises StorageError."""
    from trainwright.runs.atomic import write_bytes

    target = directory / f".trainwright-doctor-{os.getpid()}"
    data = os.urandom(_SPEED_BYTES)
    begun = time.perf_counter()
    try:
        write_bytes(target, data)
        return len(data) / (time.perf_counter() - begun)
    finally:
        target.unlink(missing_ok=True)


def lines(found: dict[str, Any]) -> list[str]:
    """The report as text."""
    machine, torch = found["hardware"], found["torch"]
    text = [
        f"machine   {machine['host']}, {machine['system']}, {machine['processor']}",
        f"cores     {machine['cores']} usable, {size_text(machine['memory_bytes'])} memory",
        f"python    {found['python']}",
    ]
    if "error" in torch:
        text.append(f"torch     does not import: {torch['error']}")
    else:
        text.append(
            f"torch     {torch['torch']}, {torch['threads']} threads, {torch['capability']}, "
            f"CUDA {torch['cuda'] or 'not built in'}"
        )
        devices = [f"{d['device']} {d['name']}" for d in torch["devices"]]
        text.append(f"devices   {', '.join(['cpu', *devices])}")
    text.append("packages  " + ", ".join(f"{k} {v}" for k, v in found["packages"].items() if k != "python"))
    for name in ("runs", "cache"):
        place = found[name]
        size = f", holds {size_text(place['bytes'])}" if "bytes" in place else ""
        speed = f", writes {place['speed'] / 1e6:.0f} MB/s" if place["speed"] else ""
        text.append(f"{name:9} {place['path']}, {size_text(place['free'])} free{speed}{size}")
    text += [f"extra     {_about_extra(extra)}" for extra in found["extras"]]
    text += [f"problem   {problem}" for problem in found["problems"]]
    if not found["problems"]:
        text.append("all is well")
    return text


def _about_extra(extra: dict[str, Any]) -> str:
    state = "installed" if extra["installed"] else f"not installed: {extra['install']}"
    purpose = f", {extra['purpose']}" if extra["purpose"] else ""
    return f"{extra['extra']}{purpose} ({', '.join(extra['packages'])}): {state}"


def _directory(path: Path) -> dict[str, Any]:
    """Room, permission and speed of a directory, or of the nearest one above that exists."""
    from trainwright.errors import StorageError

    place = path.resolve()
    while not place.exists():
        place = place.parent
    found: dict[str, Any] = {
        "path": str(path),
        "free": shutil.disk_usage(place).free,
        "speed": None,
        "error": "",
    }
    try:
        found["speed"] = write_speed(place)
    except StorageError as error:
        found["error"] = error.why
    return found


def _problems(found: dict[str, Any]) -> list[str]:
    problems = []
    if "error" in found["torch"]:
        problems.append(f"torch does not import: {found['torch']['error']}")
    for name in ("runs", "cache"):
        place = found[name]
        if place["error"]:
            problems.append(f"{place['path']} cannot be written: {place['error']}")
        elif place["free"] < _ENOUGH_DISK:
            problems.append(f"{place['path']} has only {size_text(place['free'])} free")
    for requirement in metadata.requires("trainwright") or []:
        name = _package(requirement)
        if "extra ==" not in requirement and not _installed(name):
            problems.append(f"the package {name} is not installed: pip install trainwright")
    return problems


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
