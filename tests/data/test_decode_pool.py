"""Decoding processes: the same values as here, light, crash-proof, and gone with their parent."""

import os
import select
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainwright.data.decode_pool import DecodePool, Output, Piece, importable
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.types import RawFile
from trainwright.errors import DataError


def files_of(root: Path) -> list[RawFile]:
    return [RawFile(str(path)) for path in sorted(root.rglob("*.*"))]


def decode_all(processor, files, output: Path, workers: int) -> tuple[np.ndarray, list[tuple[int, str]]]:
    form = Output(processor, (8, 8, 3), np.dtype(np.uint8), os.open(output, os.O_RDWR | os.O_CREAT))
    bad = []
    with DecodePool({"image": form}, workers) as pool:
        for start in range(0, len(files), 3):
            rows = range(start, min(start + 3, len(files)))
            pool.submit(Piece("image", [files[row] for row in rows], rows, start * form.row_bytes))
        while pool.outstanding:
            bad += [fault for _, faults in pool.wait() for fault in faults]
    os.close(form.file)
    values = np.fromfile(output, dtype=np.uint8)
    stored = np.zeros(len(files) * form.row_bytes, dtype=np.uint8)
    stored[: len(values)] = values
    return stored.reshape(-1, 8, 8, 3), sorted(bad)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_store_what_encode_gives_and_report_bad_files(class_folders, tmp_path, workers):
    root = class_folders(count=5)
    (root / "cat" / "3.png").write_bytes(b"no image")
    files, processor = files_of(root), ImageProcessor(size=8, mode="rgb")
    stored, bad = decode_all(processor, files, tmp_path / "out", workers)
    assert [row for row, _ in bad] == [3]
    assert "not an image" in bad[0][1]
    for row, file in enumerate(files):
        expected = np.zeros((8, 8, 3)) if row == 3 else processor.encode(file)
        assert np.array_equal(stored[row], expected), row


@pytest.fixture
def user_module(tmp_path, monkeypatch) -> str:
    """A user's processor that kills its process on one file, on the first try only, or always."""
    code = """
import os, signal
from pathlib import Path
from trainwright.data.processors.image import ImageProcessor
class Fragile(ImageProcessor):
    def encode(self, raw):
        print("a user's processor may print")
        if Path(raw.path).name == "1.png":
            os.kill(os.getpid(), signal.SIGKILL)
        if Path(raw.path).name == "2.png" and not Path(__file__).with_name("tried").exists():
            Path(__file__).with_name("tried").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(raw)
class Broken(ImageProcessor):
    @classmethod
    def from_state(cls, state):
        raise ImportError("needs a part that is not here")
"""
    folder = tmp_path / "user"
    folder.mkdir()
    (folder / "fragile_processors.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    return "fragile_processors"


def test_a_crash_costs_only_the_file_that_causes_it_twice(class_folders, tmp_path, user_module):
    processor = __import__(user_module).Fragile(size=8, mode="rgb")
    files = files_of(class_folders(classes=("cat",), count=7))
    stored, bad = decode_all(processor, files, tmp_path / "out", 2)
    assert bad == [(1, "the decoder crashed on it twice, with SIGKILL")]
    plain = ImageProcessor(size=8, mode="rgb")
    for row in (0, 2, 3, 4, 5, 6):
        assert np.array_equal(stored[row], plain.encode(files[row])), row


def test_workers_that_cannot_start_say_why(class_folders, tmp_path, user_module):
    processor = __import__(user_module).Broken(size=8, mode="rgb")
    with pytest.raises(DataError, match="decoding process ended with exit code 1") as error:
        decode_all(processor, files_of(class_folders()), tmp_path / "out", 1)
    assert "needs a part that is not here" in error.value.why


def test_an_output_that_cannot_be_written_is_an_error(class_folders):
    files = files_of(class_folders(count=1))
    full = Output(
        ImageProcessor(size=8, mode="rgb"), (8, 8, 3), np.dtype(np.uint8), os.open("/dev/full", os.O_WRONLY)
    )
    with DecodePool({"image": full}, 1) as pool, pytest.raises(DataError, match="cannot be written"):
        pool.submit(Piece("image", files, range(len(files)), 0))
        pool.wait()
    os.close(full.file)


def test_a_class_of_a_script_is_not_sent_to_workers():
    class Local(ImageProcessor):
        pass

    assert importable(ImageProcessor())
    assert not importable(Local())


def test_a_worker_imports_nothing_heavy(class_folders, tmp_path):
    image = {
        "image": {
            "target": "trainwright.data.processors.image:ImageProcessor",
            "state": ImageProcessor(size=8, mode="rgb").state(),
            "shape": [8, 8, 3],
            "dtype": "|u1",
            "output": None,
        }
    }
    import json

    order = {"columns": image, "retry": {"attempts": 1, "wait": 0.5}}
    worker = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "trainwright.data.decode_worker"],
        input=json.dumps(order).encode() + b"\n",
        capture_output=True,
    )
    assert b"ready" in worker.stdout
    imported = {line.split(b"|")[-1].strip().decode() for line in worker.stderr.splitlines() if b"|" in line}
    roots = {name.split(".")[0] for name in imported}
    assert "numpy" in roots and "PIL" in roots
    assert not roots & {"torch", "pandas", "sklearn", "scipy", "pyarrow", "pydantic", "matplotlib", "yaml"}


PARENT = """
import os, sys, numpy as np
from trainwright.data.decode_pool import DecodePool, Output
from trainwright.data.processors.image import ImageProcessor
pool = DecodePool({"i": Output(ImageProcessor(size=8, mode="rgb"), (8, 8, 3), np.dtype("u1"), None)}, 2)
print(*[worker.process.pid for worker in pool._workers], flush=True)
sys.stdin.readline()
os._exit(1)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's process descriptors")
def test_workers_end_when_their_parent_dies():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    watched = [os.pidfd_open(pid) for pid in pids]
    parent.kill()
    for file in watched:
        assert select.select([file], [], [], 30)[0], "a worker outlived its parent"
        os.close(file)
    parent.wait()
