"""Where the COCO files of a folder may lie, and what splits they tell."""

import json

from PIL import Image

from trainwright.data.sniffing import sniff


def write(folder, name="_annotations.coco.json"):
    """A picture of 40x30 pixels with one object, and the COCO file that lists it."""
    folder.mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(folder / "a.jpg")
    listed = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 10, 5]}],
    }
    path = folder / name
    path.write_text(json.dumps(listed))
    return str(path)


def test_a_file_in_the_folder_of_each_split_is_the_split(tmp_path):
    paths = {split: write(tmp_path / split) for split in ("valid", "train", "test")}
    guess = sniff(tmp_path)
    assert guess.source["name"] == "coco"
    assert guess.source["annotations"] == {
        "train": paths["train"],
        "val": paths["valid"],
        "test": paths["test"],
    }
    assert guess.size == 3 and [item["type"] for item in guess.targets.values()] == ["boxes"]


def test_a_folder_whose_name_is_that_of_a_split_is_taken_whole(tmp_path):
    path = write(tmp_path / "test", "objects.json")
    assert sniff(tmp_path / "test").source == {"name": "coco", "annotations": path}
    assert sniff(tmp_path).source == {"name": "coco", "annotations": path}
