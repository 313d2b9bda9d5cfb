"""Every folder of real data: `init` writes a recipe, `check` takes it, all rows come out of the loader."""

import pytest

from trainwright.cli import main
from trainwright.workflows.walking import walk_data

# folder or file: rows of each split that the data bring, or rows in all; whether there is something to learn
TABLE = {
    "mnist": ({"train": 54000, "val": 6000, "test": 10000}, True),
    "fashion_mnist_sprite": (900, True),
    "cifar10": ({"train": 9000, "val": 1000, "test": 10000}, True),
    "clothing10": (341, True),
    "coco128": (64, False),
    "coco_mini": (80, False),
    "bccd": ({"train": 205, "val": 87, "test": 72}, False),
    "camvid": ({"train": 40, "val": 12, "test": 12}, False),
    "facial_keypoints": ({"train": 208, "val": 23, "test": 18}, False),
    "deblur": (73, False),
    "kitti_mini": (2, False),
    "timeseries/GunPoint": ({"train": 45, "val": 5, "test": 150}, True),
    "timeseries/ItalyPowerDemand": ({"train": 60, "val": 7, "test": 1029}, True),
    "timeseries/ArrowHead": ({"train": 32, "val": 4, "test": 175}, True),
    "timeseries/BasicMotions": ({"train": 36, "val": 4, "test": 40}, True),
    "timeseries/JapaneseVowels": ({"train": 243, "val": 27, "test": 370}, True),
    "timeseries/mitdb": (288, True),
    "timeseries/Airline": ({"train": 77, "val": 21, "test": 22}, True),
    "timeseries/solar": ({"train": 154, "val": 44, "test": 43}, True),
    "ecg_wfdb": ({"train": 1591, "val": 331, "test": 346}, True),
    "fsdd": ({"train": 540, "val": 60, "test": 200}, True),
    "video_clips": (5, False),
    "galaxy_photoz": (23272, True),
    "tabular/iris.csv": (150, True),
    "tabular/penguins.csv": (333, True),
    "tabular/mpg.csv": (398, True),
    "imagenet_samples": (36, False),
}
NEEDS = {"video_clips": "av"}


@pytest.mark.parametrize("name", TABLE)
def test_a_folder_is_taken_checked_and_walked(shared_data, tmp_path, monkeypatch, capsys, name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    rows, trainable = TABLE[name]
    monkeypatch.chdir(tmp_path)
    assert main(["init", str(shared_data / name), "-o", "recipe.yaml"]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    if trainable and "--data-only" not in said:
        assert main(["check", "recipe.yaml"]) == 0, capsys.readouterr().err
    walk = walk_data("recipe.yaml", ["data.augment=[]"] if "augment" in said else [])
    found = {split.name: split.samples for split in walk.splits}
    assert (found if isinstance(rows, dict) else sum(found.values())) == rows
    for split in walk.splits:
        assert all(column.not_finite == 0 for column in split.columns.values())


def test_all_folders_are_in_the_table(shared_data):
    folders = {path.name for path in shared_data.iterdir() if path.is_dir()} - {"weights", "bad"}
    assert folders == {name.split("/")[0] for name in TABLE}
