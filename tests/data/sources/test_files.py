"""Labels and splits from the names of files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.sources.files import FilesSource, match_name
from trainwright.errors import DataError, RecipeError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_spoken_digits(shared_data):
    source = FilesSource(
        root=str(shared_data / "fsdd"),
        kind="audio",
        pattern="{label}_{speaker}_{index}.wav",
        splits={"test": "index < 5"},
    )
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 600, "test": 200}
    assert Counter(source.column("label").tolist()) == dict.fromkeys(range(10), 80)
    assert set(source.column("speaker")) == {"jackson", "nicolas", "theo", "yweweler"}
    assert source.columns == {
        "audio": "audio",
        "label": "category",
        "speaker": "category",
        "index": "category",
    }


def test_photos_and_clips(shared_data):
    photos = FilesSource(
        root=str(shared_data / "imagenet_samples"), kind="image", pattern="{wnid}_{label}.JPEG"
    )
    assert len(photos) == 36 and "plastic_bag" in set(photos.column("label"))
    assert any("imagenet_index.json" in note for note in photos.notices)
    clips = FilesSource(root=str(shared_data / "video_clips"), kind="video")
    assert len(clips) == 5 and clips.columns == {"video": "video"}


def test_parts_of_folders_and_regular_expressions(tmp_path):
    touch(tmp_path, "run/a1.mp4", "jump/a2.mp4", "jump/odd.mp4")
    by_folder = FilesSource(root=str(tmp_path), kind="video", pattern="{label}/{}")
    assert by_folder.column("label").tolist() == ["jump", "jump", "run"]
    expression = FilesSource(root=str(tmp_path), kind="video", pattern=r"(?P<label>[a-z])(?P<take>\d+)")
    assert expression.column("take").tolist() == [2, 1]
    assert expression.faults == [
        ("jump/odd.mp4", r"its name does not match '(?P<label>[a-z])(?P<take>\\d+)'")
    ]


def test_splits_by_folder_and_by_condition(tmp_path):
    touch(tmp_path, "train/1.png", "val/2.png", "3.png")
    source = FilesSource(root=str(tmp_path), kind="image", pattern="{n}.png")
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [1], "val": [2]}
    assert source.notices == ["1 sample is in none of the splits"]
    with pytest.raises(DataError, match="is in val already"):
        FilesSource(
            root=str(tmp_path), kind="image", pattern="{n}.png", splits={"val": "n > 1", "test": "n > 2"}
        )
    with pytest.raises(RecipeError) as error:
        FilesSource(root=str(tmp_path), kind="image", pattern="{n}.png", splits={"val": "m > 1"})
    assert error.value.where == "data.source.splits.val"


@pytest.mark.parametrize("pattern", ["{a}_{a}", "(?P<a>[", "{1x}"])
def test_patterns_that_are_none(pattern):
    with pytest.raises(RecipeError, match="is no pattern"):
        match_name(pattern, "x")


parts = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=5)


@given(parts, parts, parts)
def test_names_give_their_parts_back(label, speaker, index):
    found = match_name("{label}_{speaker}_{index}.wav", f"d/{label}_{speaker}_{index}.wav")
    assert found == {"label": label, "speaker": speaker, "index": index}


def test_a_part_cannot_be_named_as_the_file(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(RecipeError, match="a part is named 'image'"):
        FilesSource(root=str(tmp_path), kind="image", pattern="{image}.png")
    assert np.array(FilesSource(root=str(tmp_path), kind="image").names).tolist() == ["a.png"]


def test_class_folders_with_and_without_splits(tmp_path):
    touch(tmp_path / "a", "dog/1.wav", "dog/deep/2.wav", "cat/1.wav", "loose.wav", "notes.txt")
    source = FilesSource(root=str(tmp_path / "a"), kind="audio")
    assert list(source.column("label")) == ["cat", "dog", "dog"]
    assert [file.name for file in map(Path, (file.path for file in source.column("audio")))] == [
        "1.wav", "1.wav", "2.wav",
    ]  # fmt: skip
    assert source.splits() is None
    assert any("lies in no class folder and was left out: loose.wav" in note for note in source.notices)
    touch(tmp_path / "b", "train/dog/1.wav", "train/cat/1.wav", "valid/dog/1.wav", "test/cat/1.wav")
    source = FilesSource(root=str(tmp_path / "b"), kind="audio")
    assert {name: [source.sample_names()[r] for r in rows] for name, rows in source.splits().items()} == {
        "train": ["train/cat/1.wav", "train/dog/1.wav"],
        "val": ["valid/dog/1.wav"],
        "test": ["test/cat/1.wav"],
    }
    assert list(source.column("label")) == [name.split("/")[1] for name in source.sample_names()]


def test_files_that_lie_together_have_no_label(tmp_path):
    touch(tmp_path, "1.mp4", "2.AVI")
    assert FilesSource(root=str(tmp_path), kind="video").columns == {"video": "video"}
