"""Pictures of equal name in sibling folders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.sources.grouping import group_by_folder
from trainwright.data.sources.paired import PairedSource
from trainwright.errors import DataError

FOLDERS = {"input": "blur", "target": "sharp"}


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_partners_in_every_layout(tmp_path):
    touch(
        tmp_path, "train/s1/blur/1.png", "train/s1/sharp/1.jpg", "train/s2/blur/1.png", "train/s2/sharp/1.png"
    )
    touch(tmp_path, "test/blur/9.png", "test/sharp/9.png")
    source = PairedSource(root=str(tmp_path), folders=FOLDERS)
    assert source.sample_names() == ["test/9", "train/s1/1", "train/s2/1"]
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [1, 2], "test": [0]}
    assert source.column("target")[1].path.endswith("train/s1/sharp/1.jpg")
    assert PairedSource(root=str(tmp_path), folders=FOLDERS, splits="ignore").splits() is None


def test_pictures_without_a_partner(tmp_path):
    touch(
        tmp_path,
        "blur/1.png",
        "sharp/1.png",
        "blur/2.png",
        "sharp/3.png",
        "blur/4.png",
        "blur/4.jpg",
        "sharp/4.png",
    )
    touch(tmp_path, "other/1.png")
    source = PairedSource(root=str(tmp_path), folders=FOLDERS)
    said = dict(source.faults)
    assert (
        said["blur/2.png"] == "it has no partner in sharp"
        and said["sharp/3.png"] == "it has no partner in blur"
    )
    assert "blur/4.jpg and blur/4.png have one name" in said.values()
    assert source.sample_names() == ["1"]
    assert source.notices == ["1 picture lies in none of the folders and was left out"]


def test_folders_that_make_no_pair(tmp_path):
    touch(tmp_path, "blur/1.png")
    with pytest.raises(DataError, match="two different folders"):
        PairedSource(root=str(tmp_path), folders={"a": "blur", "b": "blur"})
    with pytest.raises(DataError, match="no samples"):
        PairedSource(root=str(tmp_path), folders=FOLDERS)


words = st.sampled_from(["a", "b", "blur", "sharp"])


@given(
    st.lists(st.lists(words, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".png"), unique=True)
)
def test_every_file_is_in_one_group_or_in_none_of_the_folders(names):
    groups = group_by_folder(names, FOLDERS)
    grouped = [name for group in groups.values() for members in group.values() for name in members]
    wanted = [name for name in names if {"blur", "sharp"} & set(name.split("/")[:-1])]
    assert sorted(grouped) == sorted(wanted)
