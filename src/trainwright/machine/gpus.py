"""States of NVIDIA GPUs, as `nvidia-smi` tells them; nothing of CUDA is loaded."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from trainwright.machine.host_memory import Holder

Ask = Callable[..., str]
_SECONDS = 20.0
_MIB = 1 << 20
_INSTANCE = re.compile(r"^\s+MIG .*Device\s+(\d+): \(UUID: (MIG-[^)]+)\)")
_WHOLE = re.compile(r"^GPU \d+: .*\(UUID: (GPU-[^)]+)\)")


@dataclass(frozen=True)
class Gpu:
    """A GPU, or an instance of one that is divided (MIG).

    Attributes:
        uuid: What CUDA knows it by; empty for an instance whose name is not told.
        name: Model name.
        total: Bytes of its memory.
        free: Bytes that nobody holds.
        utilization: Share of the last second in which it worked, 0 to 1; None where that is not told.
        holders: Processes with memory on it, of those that are told.
        instance: Whether it is an instance.
    """

    uuid: str
    name: str
    total: int
    free: int
    utilization: float | None = None
    holders: tuple[Holder, ...] = ()
    instance: bool = False


def read_gpus(ask: Ask | None = None) -> list[Gpu]:
    """All GPUs in the order of their bus; a divided one as its instances. Empty where there is none.

    Args:
        ask: Gives what `nvidia-smi` prints for its arguments, and nothing where it cannot; a recorded answer
            in tests.
    """
    ask = ask or _nvidia_smi
    text = ask("-q", "-x")
    try:
        log = ElementTree.fromstring(text) if text else None
    except ElementTree.ParseError:  # a driver in trouble prints words instead
        return []
    if log is None:
        return []
    names: dict[tuple[str, str], str] = {}
    if any(item.findtext("mig_mode/current_mig") == "Enabled" for item in log.iter("gpu")):
        names = _instance_names(ask("-L"))
    return [gpu for item in log.iter("gpu") for gpu in _of_one(item, names)]


def _of_one(item: ElementTree.Element, names: dict[tuple[str, str], str]) -> Iterator[Gpu]:
    uuid, name = item.findtext("uuid", ""), item.findtext("product_name", "GPU")
    holders = list(_holders(item))
    if item.findtext("mig_mode/current_mig") != "Enabled":
        working = item.findtext("utilization/gpu_util", "").split()
        share = float(working[0]) / 100 if working and working[0].isdigit() else None
        yield Gpu(uuid, name, *_memory(item), share, tuple(holder for _, holder in holders))
        return
    for part in item.iter("mig_device"):
        place = (part.findtext("gpu_instance_id"), part.findtext("compute_instance_id"))
        mine = tuple(holder for where, holder in holders if where == place)
        own = names.get((uuid, part.findtext("index", "")), "")
        yield Gpu(own, f"{name} instance {part.findtext('index')}", *_memory(part), None, mine, True)


def _memory(item: ElementTree.Element) -> tuple[int, int]:
    total, free = (item.findtext(f"fb_memory_usage/{name}", "") for name in ("total", "free"))
    return _bytes(total), _bytes(free)


def _holders(item: ElementTree.Element) -> Iterator[tuple[tuple[str | None, str | None], Holder]]:
    """Processes with memory, each with the instance that it is on."""
    for process in item.iter("process_info"):
        place = (process.findtext("gpu_instance_id"), process.findtext("compute_instance_id"))
        pid = process.findtext("pid", "")
        name = process.findtext("process_name") or "a process"
        held = _bytes(process.findtext("used_memory", ""))
        yield place, Holder(int(pid) if pid.isdigit() else 0, name.rpartition("/")[2], held)


def _bytes(text: str) -> int:
    """`81559 MiB` in bytes; 0 for N/A."""
    words = text.split()
    return int(words[0]) * _MIB if words and words[0].isdigit() else 0


def _instance_names(listing: str) -> dict[tuple[str, str], str]:
    """UUID of a GPU and index of its instance -> UUID of the instance, from `nvidia-smi -L`."""
    found, whole = {}, ""
    for line in listing.splitlines():
        if match := _WHOLE.match(line):
            whole = match[1]
        elif match := _INSTANCE.match(line):
            found[whole, match[1]] = match[2]
    return found


def _nvidia_smi(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no driver here, or one that hangs: CUDA itself will say what it can do
    return answer.stdout if answer.returncode == 0 else ""
