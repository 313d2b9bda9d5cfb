"""Sounds and clips in folders: labels by folder and by name, splits, and what is left out."""

import zipfile

import pytest

from trainwright.data.sources.audio import AudioSource
from trainwright.data.sources.video import VideoSource
from trainwright.errors import DataError, RecipeError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def test_the_spoken_digits(shared_data):
    source = AudioSource(
        root=str(shared_data / "fsdd" / "recordings"),
        pattern="{digit}_{speaker}_{index}",
        splits={"test": "index < 5"},
    )
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 600, "test": 200}
    assert sorted(set(source.column("digit"))) == list(range(10))
    assert sorted(set(source.column("speaker"))) == ["jackson", "nicolas", "theo", "yweweler"]
    row = list(source.sample_names()).index("7_theo_13.wav")
    assert [source.column(name)[row] for name in ("digit", "speaker", "index")] == [7, "theo", 13]
    assert source.column("audio")[row].path.endswith("7_theo_13.wav")
    assert not source.faults


def test_class_folders_with_and_without_splits(tmp_path):
    root = touch(tmp_path / "a", "dog/1.wav", "dog/deep/2.wav", "cat/1.wav", "loose.wav", "notes.txt")
    source = AudioSource(root=root)
    assert list(source.column("label")) == ["cat", "dog", "dog"]
    assert source.splits() is None
    assert sorted(source.notices) == [
        "1 files are no sound by name and were left out",
        "1 sound files lie in no class folder and were left out",
    ]
    root = touch(tmp_path / "b", "train/dog/1.wav", "train/cat/1.wav", "valid/dog/1.wav", "test/cat/1.wav")
    source = AudioSource(root=root)
    assert {name: [source.sample_names()[r] for r in rows] for name, rows in source.splits().items()} == {
        "train": ["train/cat/1.wav", "train/dog/1.wav"],
        "val": ["valid/dog/1.wav"],
        "test": ["test/cat/1.wav"],
    }


def test_files_that_lie_together_have_no_label(tmp_path):
    assert VideoSource(root=touch(tmp_path, "1.mp4", "2.AVI")).columns == {"video": "video"}


def test_an_archive_is_read_in_place(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/1_b.wav", b"one")
        archive.writestr("x/2_b.wav", b"two")
    source = AudioSource(root=str(tmp_path / "a.zip"), pattern="x/{number}_{kind}")
    assert source.column("audio")[1].read() == b"two"
    assert source.files() == [tmp_path / "a.zip"]


def test_names_that_do_not_fit_are_faults(tmp_path):
    root = touch(tmp_path, "a_1.wav", "b_2.wav", "c-3.wav", "d_e_4.wav")
    source = AudioSource(root=root, pattern="{label}_{index}")
    assert list(source.column("label")) == ["a", "b"]
    assert [name.rpartition("/")[2] for name, _ in source.faults] == ["c-3.wav", "d_e_4.wav"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pattern": "{a}{b}"}, RecipeError, "no pattern of names"),
        ({"pattern": "plain"}, RecipeError, "no pattern of names"),
        ({"pattern": "{a}_{a}"}, RecipeError, "no pattern of names"),
        ({"pattern": "{audio}_{b}"}, RecipeError, "names the files themselves"),
        ({"pattern": "{a}x{b}"}, DataError, "no file fits"),
        ({"pattern": "{a}_{b}", "splits": {"tset": "a < 1"}}, RecipeError, "'tset' is no split"),
        ({"pattern": "{a}_{b}", "splits": {"val": "b > 0", "test": "b > 1"}}, RecipeError, "in another"),
        ({"pattern": "{a}_{b}", "splits": {"val": "c > 0"}}, RecipeError, "c"),
    ],
)
def test_patterns_and_splits_that_cannot_be(tmp_path, options, error, message):
    root = touch(tmp_path, "1_1.wav", "2_2.wav")
    with pytest.raises(error, match=message):
        AudioSource(root=root, **options)


def test_a_folder_without_sound(tmp_path):
    with pytest.raises(DataError, match="there are no sound files"):
        AudioSource(root=touch(tmp_path, "a.txt"))
