"""An archived run comes back bit for bit, or not at all; whenever the process dies, no run is lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from trainwright.errors import RunError, TrainwrightError
from trainwright.runs.archive import archive, archived_runs, find_archived, query_archived, restore
from trainwright.runs.directory import RunDirectory
from trainwright.runs.labels import Labels, write_labels
from trainwright.runs.listing import all_runs, find_run
from trainwright.runs.packing import pack, unpack
from trainwright.runs.removing import alone, remove
from trainwright.runs.selecting import Query, condition

MakeRun = Callable[..., RunDirectory]


def everything(folder: Path) -> dict[str, tuple[object, ...]]:
    """Names, bytes, permissions and times of what is in a folder, the lock apart."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        status, name = path.lstat(), str(path.relative_to(folder))
        if name == "lock":
            continue
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", status.st_mode)
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = (digest, status.st_mode, status.st_mtime_ns)
    return found


@pytest.fixture
def run(make_run: MakeRun) -> RunDirectory:
    """A run with what is hard to pack: links, nothing, a script, odd names, big and small."""
    made = make_run()
    made.best.write_bytes(os.urandom(300_000))
    (made.path / "data" / "empty").mkdir()
    (made.path / "none.txt").touch()
    (made.path / "a name, with ünïcode").write_text("x" * 100_000)
    (made.path / "hook.sh").write_text("exit 0\n")
    (made.path / "hook.sh").chmod(0o755)
    (made.path / "gone").symlink_to("/nowhere/at/all")
    (made.path / "same.txt").hardlink_to(made.path / "hook.sh")
    os.utime(made.recipe, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    write_labels(made, Labels(("best",), "the first"))
    return made


def test_it_comes_back_bit_for_bit(run: RunDirectory, runs_dir: Path) -> None:
    before = everything(run.path)
    with alone(runs_dir):
        packed = archive(run, runs_dir)
    assert not run.path.exists() and all_runs(runs_dir) == []
    assert packed.file.stat().st_size < sum(item.size for item in packed.items.values())
    with tarfile.open(packed.file) as tar:  # by any other program too
        assert {"run.json", "weights/best.safetensors"} <= set(tar.getnames())
    with alone(runs_dir):
        [found] = find_archived([run.id], runs_dir)
        assert restore(found, runs_dir).path == run.path
    assert everything(run.path) == before
    assert archived_runs(runs_dir) == [] and not packed.file.exists() and not packed.manifest.exists()


def test_archived_runs_are_found_by_what_is_known_of_them(make_run: MakeRun, runs_dir: Path) -> None:
    runs = [make_run("digits", f"{number:010x}", accuracy=0.1 * number) for number in range(4)]
    write_labels(runs[2], Labels(("best",), ""))
    with alone(runs_dir):
        for run in runs[1:]:
            archive(run, runs_dir)
    assert [run.id for run in all_runs(runs_dir)] == [runs[0].id]
    query = Query((condition("test/accuracy>0.15"),), "test/accuracy", True, ("tags", "train.optimizer.lr"))
    found = query_archived(find_archived([], runs_dir), query)
    assert [run["id"] for run in found] == [runs[3].id, runs[2].id]
    assert [run["tags"] for run in found] == ["", "best"] and found[0]["train.optimizer.lr"] == 0.01
    assert [item.id for item in find_archived(["*2", "0000000003"], runs_dir)] == [runs[2].id, runs[3].id]
    with pytest.raises(RunError, match=f"{runs[1].id} is archived") as told:
        find_run(runs[1].id, runs_dir)
    assert "runs restore" in told.value.fix


def test_a_run_at_work_is_left_alone(run: RunDirectory, runs_dir: Path) -> None:
    with RunDirectory(run.path).acquire(), alone(runs_dir), pytest.raises(RunError, match="alive"):
        archive(run, runs_dir)
    assert run.record_file.exists() and archived_runs(runs_dir) == []


def test_only_one_process_at_a_time(run: RunDirectory, runs_dir: Path) -> None:
    with alone(runs_dir), pytest.raises(RunError, match="archiving, restoring or purging"), alone(runs_dir):
        pass


@pytest.mark.parametrize("how", ["torn", "flipped", "other", "missing"])
def test_a_damaged_archive_restores_nothing(run: RunDirectory, runs_dir: Path, how: str) -> None:
    with alone(runs_dir):
        packed = archive(run, runs_dir)
    data = bytearray(packed.file.read_bytes())
    if how == "torn":
        packed.file.write_bytes(data[: len(data) // 2])
    elif how == "flipped":
        data[len(data) // 2] ^= 1
        packed.file.write_bytes(data)
    elif how == "other":
        with tarfile.open(packed.file, "w:gz") as tar:
            tar.add(__file__, "run.json")
    else:
        packed.file.unlink()
    with alone(runs_dir), pytest.raises(TrainwrightError):
        restore(find_archived([run.id], runs_dir)[0], runs_dir)
    assert not run.path.exists() and [path.name for path in runs_dir.iterdir()] == ["archive"]
    assert packed.manifest.exists()


@pytest.mark.parametrize("name", ["../out", "/tmp/trainwright-out", "a/../../out"])
def test_a_list_of_contents_that_leads_outside_is_refused(
    run: RunDirectory, runs_dir: Path, name: str
) -> None:
    with alone(runs_dir):
        packed = archive(run, runs_dir)
    value = json.loads(packed.manifest.read_text())
    value["items"][name] = value["items"]["run.json"]
    packed.manifest.write_text(json.dumps(value))
    with alone(runs_dir), pytest.raises(RunError, match="damaged"):
        restore(find_archived([run.id], runs_dir)[0], runs_dir)
    assert not (runs_dir / name).exists()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    source, outside = tmp_path / "source", tmp_path / "outside"
    (source / "in").mkdir(parents=True)
    (source / "in" / "file").write_text("x")
    outside.mkdir()
    items = pack(source, tmp_path / "pack.tar.gz")
    target = tmp_path / "target"
    target.mkdir()
    (target / "in").symlink_to(outside)
    with pytest.raises(TrainwrightError):
        unpack(tmp_path / "pack.tar.gz", target, items)
    assert list(outside.iterdir()) == []


def test_another_run_of_the_same_id_is_neither_overwritten_nor_lost(
    run: RunDirectory, make_run: MakeRun, runs_dir: Path
) -> None:
    with alone(runs_dir):
        archive(run, runs_dir)
    second = make_run()
    before = everything(second.path)
    with alone(runs_dir):
        with pytest.raises(RunError, match="another run of this id"):
            archive(second, runs_dir)
        with pytest.raises(RunError, match="another run of this id"):
            restore(find_archived([run.id], runs_dir, left=True)[0], runs_dir)
    assert everything(second.path) == before
    shutil.rmtree(second.path)
    with alone(runs_dir):
        restore(find_archived([run.id], runs_dir)[0], runs_dir)
    assert run.best.stat().st_size == 300_000


@pytest.mark.parametrize("place", ["elsewhere", "link"])
def test_only_what_lies_in_the_runs_folder_is_removed(
    run: RunDirectory, runs_dir: Path, tmp_path: Path, place: str
) -> None:
    moved = tmp_path / run.id
    run.path.rename(moved)
    if place == "link":
        run.path.symlink_to(moved)
    given = run if place == "link" else RunDirectory(moved)
    for work in (archive, remove):
        with pytest.raises(RunError, match="no directory of the runs folder"):
            work(given, runs_dir)
    assert (moved / "run.json").exists()


WORK = """
import sys
from trainwright.runs.archive import archive, find_archived, restore
from trainwright.runs.directory import RunDirectory
from trainwright.runs.removing import alone
path, runs_dir = sys.argv[1:]
while True:
    with alone(runs_dir):
        if RunDirectory(path).record_file.exists():
            archive(RunDirectory(path), runs_dir)
        else:
            restore(find_archived([], runs_dir, left=True)[0], runs_dir)
    print("x", flush=True)
"""


def test_killed_at_any_moment_the_run_is_whole_in_one_of_its_places(
    run: RunDirectory, runs_dir: Path
) -> None:
    before = everything(run.path)
    for number in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", WORK, str(run.path), str(runs_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None and child.stderr is not None
        child.stdout.read(2)
        try:
            # Parts of the time that one turn takes, so that every piece of the work is hit.
            child.wait(0.004 * number)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, child.stderr.read()
        child.stdout.close(), child.stderr.close()
        with alone(runs_dir):
            if not run.record_file.exists():
                [found] = find_archived([], runs_dir)
                restore(found, runs_dir)
        assert everything(run.path) == before, number
        assert {path.name for path in runs_dir.iterdir()} == {run.id, "archive"}


def test_what_a_kill_left_half_removed_goes_with_the_next_work(run: RunDirectory, runs_dir: Path) -> None:
    (runs_dir / ".removing-x" / "digits-old").mkdir(parents=True)
    (runs_dir / ".restoring-x").mkdir()
    with alone(runs_dir):
        assert {path.name for path in runs_dir.iterdir()} == {run.id, "archive"}
