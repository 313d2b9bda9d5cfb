"""Class folders: found in every usual layout, in place in an archive, and refused in words."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from trainwright.data.sources.folder import FolderSource
from trainwright.errors import DataError


def zipped(root: Path, prefix: str = "") -> Path:
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*"), reverse=True):
            if file.is_file():
                archive.write(file, prefix + str(file.relative_to(root)))
    return path


def touch(path: Path, content: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_one_tree_and_its_archive_are_the_same(class_folders):
    root = class_folders(("dog", "cat", "10", "9"), count=3)
    plain, packed = FolderSource(root=str(root)), FolderSource(root=str(zipped(root)))
    for source in (plain, packed):
        assert len(source) == 12
        assert list(source.column("label")) == ["9"] * 3 + ["10"] * 3 + ["cat"] * 3 + ["dog"] * 3
        assert list(source.sample_names())[:4] == ["9/0.png", "9/1.png", "9/2.png", "10/0.png"]
        assert source.splits() is None
        assert not source.notices
    for first, second in zip(plain.column("image"), packed.column("image"), strict=True):
        assert first.read() == second.read()
    assert packed.files() == [root.with_suffix(".zip")]
    assert len(plain.files()) == 12


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "validation", "TEST"), ("train", "valid")]
)
@pytest.mark.parametrize("archive", [False, True])
def test_split_folders_are_given_splits(class_folders, names, archive):
    root = class_folders(count=2, splits=names)
    source = FolderSource(root=str(zipped(root) if archive else root))
    found = source.splits()
    assert list(found) == ["train", "val", "test"][: len(names)]
    for split, folder in zip(found, names, strict=True):
        assert all(source.sample_names()[row].startswith(f"{folder}/") for row in found[split])
    assert np.concatenate(list(found.values())).tolist() == list(range(len(source)))
    joined = FolderSource(root=str(root), splits="ignore")
    assert joined.splits() is None and len(joined) == len(source)


def test_a_folder_that_wraps_everything_is_looked_through(class_folders):
    root = class_folders(count=2, splits=("train", "test"))
    source = FolderSource(root=str(zipped(root, prefix="my data/v1/")))
    assert list(source.splits()) == ["train", "test"]
    assert source.sample_names()[0] == "my data/v1/train/cat/0.png"


def test_deeper_folders_belong_to_their_class(class_folders):
    root = class_folders(count=1)
    touch(root / "cat" / "kittens" / "small" / "9.png")
    source = FolderSource(root=str(root))
    assert list(source.column("label")) == ["cat", "cat", "dog"]


def test_what_is_left_out_is_counted_and_named(class_folders):
    root = class_folders(count=2)
    touch(root / "README.md")
    touch(root / "cat" / "notes.txt")
    touch(root / ".git" / "x.png")
    touch(root / "cat" / ".hidden.png")
    touch(root / "loose.jpg")
    touch(root / "__MACOSX" / "cat" / "0.png")
    (root / "dog" / "loop").symlink_to(root)
    (root / "dog" / "gone.png").symlink_to(root / "nowhere.png")
    for path in (root, zipped(root)):
        source = FolderSource(root=str(path))
        assert len(source) == 4
        notices = " | ".join(source.notices)
        assert "2 files are no images by name" in notices
        assert "1 image lies in no class folder" in notices
        if path == root:
            assert "3 files or folders are hidden" in notices
            assert "1 link leads back to a folder above it" in notices
            assert "1 link leads nowhere" in notices


def test_linked_class_folders_are_followed(class_folders, tmp_path):
    root = class_folders(("cat", "dog"), count=2)
    (root / "dog").rename(tmp_path / "dogs elsewhere")
    (root / "dog").symlink_to(tmp_path / "dogs elsewhere")
    assert list(FolderSource(root=str(root)).column("label")) == ["cat", "cat", "dog", "dog"]


def test_an_empty_class_folder_is_an_error(class_folders):
    root = class_folders()
    (root / "bird").mkdir()
    with pytest.raises(DataError, match="class folder 'bird' has no images"):
        FolderSource(root=str(root))


def test_one_class_only_is_an_error(class_folders):
    with pytest.raises(DataError, match="one class only: cat"):
        FolderSource(root=str(class_folders(("cat",))))


def test_class_sets_that_differ_between_splits_are_an_error(class_folders):
    root = class_folders(("cat", "dog"), splits=("train", "test"))
    (root / "test" / "dog").rename(root / "test" / "dogs")
    with pytest.raises(DataError, match="different class folders") as error:
        FolderSource(root=str(root))
    assert "test has dogs, which train has not; test lacks dog" in error.value.why
    assert error.value.fix == "is 'dogs' meant to be 'dog'?"


def test_two_folders_for_one_split_are_an_error(class_folders):
    with pytest.raises(DataError, match="both name the val split"):
        FolderSource(root=str(class_folders(splits=("train", "val", "valid"))))


def test_no_images_no_folder_and_no_archive_are_errors(tmp_path):
    with pytest.raises(DataError, match="no class folders"):
        FolderSource(root=str(tmp_path))
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="does not exist") as error:
        FolderSource(root=str(tmp_path / "fotos"))
    assert "photos" in error.value.fix
    touch(tmp_path / "a.zip", b"no archive")
    with pytest.raises(DataError, match="archive cannot be read: it is not a zip archive"):
        FolderSource(root=str(tmp_path / "a.zip"))


def test_cifar_from_its_archive(shared_data):
    source = FolderSource(root=str(shared_data / "cifar10" / "cifar10_images.zip"))
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 10000, "test": 10000}
    labels = np.asarray(source.column("label"))
    for rows in source.splits().values():
        names, counts = np.unique(labels[rows].astype(str), return_counts=True)
        assert list(counts) == [1000] * 10 and names[0] == "airplane"
