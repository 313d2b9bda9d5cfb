"""idx files: read whole, and refused where header and content disagree."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from trainwright.data.sources.idx import IdxSource
from trainwright.errors import DataError


def idx_bytes(values: np.ndarray) -> bytes:
    return (
        struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype("u1").tobytes()
    )


def write(root: Path, packed: bool = True, train: int = 5, test: int = 3) -> dict[str, np.ndarray]:
    root.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    arrays = {}
    for word, count in (("train", train), ("t10k", test)):
        arrays[f"{word}-images-idx3-ubyte"] = random.integers(0, 256, (count, 4, 6), dtype=np.uint8)
        arrays[f"{word}-labels-idx1-ubyte"] = random.integers(0, 10, count, dtype=np.uint8)
    for name, values in arrays.items():
        data = idx_bytes(values)
        (root / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)
    return arrays


@pytest.mark.parametrize("packed", [False, True])
def test_images_labels_and_splits(tmp_path, packed):
    arrays = write(tmp_path, packed)
    source = IdxSource(root=str(tmp_path))
    images = np.concatenate([arrays["train-images-idx3-ubyte"], arrays["t10k-images-idx3-ubyte"]])
    labels = np.concatenate([arrays["train-labels-idx1-ubyte"], arrays["t10k-labels-idx1-ubyte"]])
    assert np.array_equal(source.column("image"), images)
    assert np.array_equal(source.column("label"), labels)
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {
        "train": [0, 1, 2, 3, 4],
        "test": [5, 6, 7],
    }
    assert source.sample_names()[4:6] == ["train/4", "test/0"]
    assert source.slow_columns == ({"image"} if packed else ())
    assert source.image_size == (4, 6)
    assert len(source.files()) == 4


def test_other_spellings_of_the_names(tmp_path):
    write(tmp_path, packed=False)
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / f"emnist-{path.name}".replace("-idx", ".idx").replace("t10k", "test"))
    assert len(IdxSource(root=str(tmp_path))) == 8


def test_a_plain_file_beside_the_packed_one_is_taken(tmp_path):
    write(tmp_path, packed=True)
    write(tmp_path, packed=False)
    assert all(path.suffix == "" for path in IdxSource(root=str(tmp_path)).files())


NAME = "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x00\x08", "ends within its header"),
        (b"\x00\x00\x0d\x03" + bytes(12), "magic number is 0x00000d03"),
        (b"\x00\x00\x08\x01" + bytes(12), "magic number is 0x00000801"),
        (b"PNG file, really", "magic number"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 4), "claims 2147483648 x 2147483648 x 4"),
        (struct.pack(">HBB3I", 0, 8, 3, 0, 4, 6), "claims 0 x 4 x 6"),
        (struct.pack(">HBB3I", 0, 8, 3, 5, 4, 6) + bytes(119), "holds fewer values"),
        (struct.pack(">HBB3I", 0, 8, 3, 5, 4, 6) + bytes(121), "holds more values"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_faulty_files_are_named(tmp_path, content, message, packed):
    write(tmp_path, packed)
    path = tmp_path / (NAME + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=message) as error:
        IdxSource(root=str(tmp_path)).column("image")
    assert NAME in error.value.where


def test_a_bomb_is_unpacked_no_further_than_its_header_says(tmp_path):
    write(tmp_path)
    header = struct.pack(">HBB3I", 0, 8, 3, 5, 4, 6)
    (tmp_path / f"{NAME}.gz").write_bytes(gzip.compress(header + bytes(50_000_000)))
    with pytest.raises(DataError, match="more values") as error:
        IdxSource(root=str(tmp_path)).column("image")
    assert "found 121" in error.value.why


@pytest.mark.parametrize("keep", [0, 30, -10])
def test_cut_off_and_damaged_gzip_files_are_named(tmp_path, keep):
    write(tmp_path)
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(path.read_bytes()[:keep] if keep else b"not gzip at all, but long enough")
    with pytest.raises(DataError) as error:
        IdxSource(root=str(tmp_path)).column("image")
    assert NAME in error.value.where


def test_missing_and_unequal_files(tmp_path):
    with pytest.raises(DataError, match="no training file"):
        IdxSource(root=str(tmp_path))
    write(tmp_path, packed=False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(4)))
    with pytest.raises(DataError, match="5 images but 4 labels"):
        IdxSource(root=str(tmp_path))
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="no file of train labels"):
        IdxSource(root=str(tmp_path))


def test_mnist_counts(shared_data):
    source = IdxSource(root=str(shared_data / "mnist"))
    labels = np.asarray(source.column("label"))
    train = np.bincount(labels[source.splits()["train"]])
    # Digit counts of the training set as its authors published them.
    assert train.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert len(source) == 70000
