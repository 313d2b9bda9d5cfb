"""Every folder of real data is taken for what it is, with the counts that its description gives."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageFilter

from trainwright import registry
from trainwright.data.sniffing import sniff
from trainwright.workflows.first_recipe import first_recipe

# folder: source, rows per split (or in all), column types, what is counted and how much of it
TABLE = {
    "bccd": ("voc", {"train": 205, "val": 87, "test": 72}, ("image", "boxes"), (3, 4888)),
    "coco128": ("yolo", {"train": 64}, ("image", "boxes"), (61, 542)),
    "coco_mini": ("coco", {"train": 80}, ("image", "instances"), (80, 739)),
    "camvid": ("masks", {"train": 40, "val": 12, "test": 12}, ("image", "mask"), None),
    "facial_keypoints": ("landmarks", {"train": 231, "test": 18}, ("image", "keypoints"), (1, 249)),
    "kitti_mini": ("kitti", {"train": 2}, ("image", "boxes"), (5, 8)),
    "video_clips": ("files", 5, ("video",), None),
    "imagenet_samples": ("files", 36, ("image",), (36, 36)),
    "fashion_mnist_sprite": ("folder", 900, ("image", "category"), (10, 900)),
    "clothing10": ("folder", 341, ("image", "category"), (10, 341)),
    "cifar10": ("folder", {"train": 10000, "test": 10000}, ("image", "category"), (10, 20000)),
    "deblur": ("degraded", 73, ("image", "image"), None),
    "galaxy_photoz": ("table", 23272, ("number", "number", "number"), None),
    "timeseries/mitdb": ("series", 288, ("series", "category"), (2, 288)),
    "fsdd": ("files", {"train": 600, "test": 200}, ("audio", "category"), (10, 800)),
}


@pytest.mark.parametrize("name", TABLE)
def test_source_counts_and_columns(shared_data, name):
    wanted_source, rows, types, labels = TABLE[name]
    guess = sniff(shared_data / name)
    assert guess.source["name"] == wanted_source
    found = [column["type"] for column in (*guess.inputs.values(), *guess.targets.values())]
    assert tuple(found) == types
    source = registry.build("source", registry.validate("source", dict(guess.source)))
    given = source.splits()
    assert (len(source) if given is None else {split: len(part) for split, part in given.items()}) == rows
    assert list(source.faults) == []
    if "beside" in guess.source:
        assert [len(column["columns"]) for column in guess.inputs.values()] == [7, 7]
    if labels is not None:
        assert _labels(source) == labels
    if set(types) <= set(registry.TABLES["processor"]):
        text = first_recipe(guess, "name", name, command=f"trainwright train {name}.yaml")
        assert f"name: {wanted_source}" in text


def _labels(source):
    """Different labels, and how many there are in all; a region to ignore is none of them."""
    counts = Counter()
    if "objects" in source.columns:
        for objects in source.column("objects"):
            counts.update(objects.labels)
    else:
        counts.update(map(str, source.column("label")))
    return len(counts), counts.total()


def test_what_is_no_class_in_camvid_is_made_void(shared_data):
    [mask] = sniff(shared_data / "camvid").targets.values()
    assert (len(mask["classes"]), mask["void"]) == (11, [11])
    assert mask["classes"][3] == "Road"


def test_deblurring_through_a_made_blur(shared_data, tmp_path):
    for name in ("blur", "sharp"):
        (tmp_path / name).mkdir()
    for path in sorted((shared_data / "deblur").rglob("*.*")):
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        picture.save(tmp_path / "sharp" / f"{path.stem}.png")
        picture.filter(ImageFilter.GaussianBlur(2)).save(tmp_path / "blur" / f"{path.stem}.png")
    guess = sniff(tmp_path)
    assert guess.source == {
        "name": "paired",
        "root": str(tmp_path),
        "folders": {"input": "blur", "target": "sharp"},
    }
    assert (guess.size, guess.split) == (73, {"val": 0.15, "test": 0.15})
    source = registry.build("source", guess.source)
    names = [
        [file.path.rsplit("/", 1)[1] for file in source.column(column)] for column in ("input", "target")
    ]
    assert names[0] == names[1]


def test_other_annotations_beside_the_main_ones_are_named(shared_data):
    notes = sniff(shared_data / "coco_mini").notes
    assert "left aside: captions_train2017.json, person_keypoints_train2017.json" in notes
    assert any("instance_segmentation" in note for note in sniff(shared_data / "coco128").notes)
    single = sniff(shared_data / "coco_mini" / "annotations" / "person_keypoints_train2017.json")
    assert [column["type"] for column in single.targets.values()] == ["keypoints"]
    # People stand in groups, and what is found beside them counts.
    assert single.targets["keypoints"]["metrics"] == ["pck", "keypoint_map"]
    captions = sniff(shared_data / "coco_mini" / "annotations" / "captions_train2017.json")
    assert captions.source["name"] == "coco_captions"
    assert captions.targets == {"caption": {"type": "text"}}


def test_faults_are_told_before_training(shared_data):
    for name, count in [("coco_bad", 12), ("yolo_bad", 7)]:
        guess = sniff(shared_data / "bad" / name)
        assert any(note.startswith(f"{count} records are faulty, the first is") for note in guess.notes), name


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"], "folder"),
        (["cat/a_b.png", "dog/c_d.png"], "folder"),
        (["p/a.png", "p/a.txt=a cat on a mat"], "image_text"),
        (["p/a.png", "p/a.txt=0 0.5 0.5 0.1 0.1"], "yolo"),
        (["images/a.png", "labels/a.txt=0 0.5 0.5 0.1 0.1"], "yolo"),
        (["images/a.png", "masks/a.png"], "masks"),
        (["noisy/a.png", "clean/a.png"], "paired"),
        (["cat_1.png", "cat_2.png", "dog_1.png", "dog_2.png"], "files"),
        (["a.png", "t.csv=image,label,left,top,right,bottom\na.png,cat,1,1,3,3\n"], "object_table"),
        (["a.png", "t.csv=name,x,y,u,v\na.png,1,1,3,3\n"], "landmarks"),
        (["a.png", "b.png", "t.csv=image,label\na.png,3\nb.png,4\n"], "table"),
    ],
)
def test_small_folders(tmp_path, files, source):
    for entry in files:
        name, _, text = entry.partition("=")
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text)
        else:
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    assert sniff(tmp_path).source["name"] == source
