"""What is left of a machine's memory, by its own account and by limits around the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.machine.host_memory import host_memory, largest_holders

GIB = 1 << 30
MEMINFO = "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine of 16 GiB, 8 of them free."""
    _write(tmp_path, "proc/meminfo", MEMINFO)
    return tmp_path


def _write(root: Path, name: str, text: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(text))


def test_without_limits_it_is_the_machine_that_counts(machine):
    found = host_memory(machine)
    assert found is not None
    assert (found.free, found.total, found.of) == (8 * GIB, 16 * GIB, "this machine")


def test_a_system_that_does_not_tell_gives_nothing(tmp_path):
    assert host_memory(tmp_path) is None


def test_a_control_group_of_version_two_counts_less_its_cached_files(machine):
    group = "sys/fs/cgroup/jobs/one"
    _write(machine, "proc/self/cgroup", "0::/jobs/one")
    _write(machine, f"{group}/memory.max", 4 * GIB)
    _write(machine, f"{group}/memory.current", 3 * GIB)
    _write(machine, f"{group}/memory.stat", f"anon {GIB}\ninactive_file {GIB}\nactive_file {GIB // 2}\n")
    found = host_memory(machine)
    assert found is not None
    # 4 less the 3 in use, of which 1.5 are pages of files that the kernel gives up first.
    assert (found.free, found.total) == (int(2.5 * GIB), 4 * GIB)
    assert found.of == "the control group /jobs/one"


def test_the_narrowest_of_the_groups_around_counts(machine):
    _write(machine, "proc/self/cgroup", "0::/jobs/one")
    for group, limit, used in (("jobs/one", 6 * GIB, 0), ("jobs", 5 * GIB, 4 * GIB)):
        _write(machine, f"sys/fs/cgroup/{group}/memory.max", limit)
        _write(machine, f"sys/fs/cgroup/{group}/memory.current", used)
    found = host_memory(machine)
    assert found is not None
    assert (found.free, found.of) == (GIB, "the control group /jobs")


@pytest.mark.parametrize("place", ["sys/fs/cgroup/memory/docker/a", "sys/fs/cgroup/memory"])
def test_a_control_group_of_version_one_counts_also_where_only_its_root_is_shown(machine, place):
    _write(machine, "proc/self/cgroup", "7:cpu,cpuacct:/\n4:memory:/docker/a\n0::/")
    _write(machine, f"{place}/memory.limit_in_bytes", 2 * GIB)
    _write(machine, f"{place}/memory.usage_in_bytes", GIB)
    _write(machine, f"{place}/memory.stat", f"inactive_file 1\ntotal_inactive_file {GIB // 2}\n")
    found = host_memory(machine)
    assert found is not None
    assert found.free == int(1.5 * GIB)


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_a_group_without_limit_does_not_count(machine, limit):
    version = "0::/a" if limit == "max" else "4:memory:/a"
    folder = "sys/fs/cgroup/a" if limit == "max" else "sys/fs/cgroup/memory/a"
    names = ("max", "current") if limit == "max" else ("limit_in_bytes", "usage_in_bytes")
    _write(machine, "proc/self/cgroup", version)
    _write(machine, f"{folder}/memory.{names[0]}", limit)
    _write(machine, f"{folder}/memory.{names[1]}", GIB)
    found = host_memory(machine)
    assert found is not None
    assert found.of == "this machine"


def test_a_limit_of_the_process_counts_less_what_it_has(machine, monkeypatch):
    import resource

    infinite = resource.RLIM_INFINITY
    monkeypatch.setattr(
        resource,
        "getrlimit",
        lambda kind: (3 * GIB if kind == resource.RLIMIT_AS else infinite, infinite),
    )
    _write(machine, "proc/self/status", "VmSize:\t 1048576 kB\nVmData:\t 1 kB\n")
    found = host_memory(machine)
    assert found is not None
    assert (found.free, found.of) == (2 * GIB, "the process (ulimit -v)")


def test_this_machine_tells():
    found = host_memory()
    if found is None:
        pytest.skip("this system does not tell")
    assert 0 < found.free < found.total


def test_the_largest_holders_come_first_and_small_ones_not_at_all(machine, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda _name: 4096)
    for pid, name, resident, shared in (
        (11, "python", 600_000, 100_000),
        (12, "java", 900_000, 0),
        (13, "sh", 900, 100),
    ):
        _write(machine, f"proc/{pid}/statm", f"1000000 {resident} {shared} 0 0 0 0\n")
        _write(machine, f"proc/{pid}/comm", f"{name}\n")
    found = [(holder.pid, holder.name, holder.held) for holder in largest_holders(root=machine)]
    assert found == [(12, "java", 900_000 * 4096), (11, "python", 500_000 * 4096)]
