"""COCO JSON: as pycocotools reads it, every fault with its id, and no crash whatever the file holds."""

import json
import zipfile
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainwright.data import run_lengths
from trainwright.data.objects import RunLengths
from trainwright.data.sources.coco import CocoSource
from trainwright.errors import DataError


def write(folder, annotations, images=None, categories=None, **more):
    """A folder with two pictures of 40x30 pixels and a JSON file."""
    for name in ("a.png", "b.png"):
        if not (folder / name).exists():
            Image.new("RGB", (40, 30)).save(folder / name)
    if images is None:
        images = [
            {"id": n, "file_name": f, "width": 40, "height": 30} for n, f in ((1, "a.png"), (2, "b.png"))
        ]
    if categories is None:
        categories = [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}]
    content = {"images": images, "categories": categories, "annotations": annotations, **more}
    (folder / "x.json").write_text(json.dumps(content))
    return str(folder / "x.json")


def annotation(number=1, image=1, category=3, box=(1, 2, 10, 5), **more):
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(box), **more}


def test_boxes_areas_and_outlines_are_those_of_pycocotools(shared_data):
    coco_api = pytest.importorskip("pycocotools.coco")
    path = shared_data / "coco_mini" / "annotations" / "instances_train2017.json"
    theirs, source = coco_api.COCO(str(path)), CocoSource(annotations=str(path))
    assert (len(source), len(source.class_names)) == (80, 80)
    assert source.kind == "instances"
    total = 0
    for name, objects in zip(source.sample_names(), source.column("objects"), strict=True):
        wanted = theirs.imgToAnns[int(name.split(".")[0])]
        total += len(wanted)
        boxes = np.array([item["bbox"] for item in wanted]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(objects.boxes, boxes, atol=1e-6)
        assert objects.extra["area"].tolist() == [item["area"] for item in wanted]
        assert objects.labels == tuple(theirs.cats[item["category_id"]]["name"] for item in wanted)
        assert objects.crowd.tolist() == [bool(item["iscrowd"]) for item in wanted]
        for segment, item in zip(objects.segments, wanted, strict=True):
            if isinstance(segment, RunLengths):
                assert (run_lengths.to_mask(segment) == theirs.annToMask(item).astype(bool)).all()
            else:
                assert [part.reshape(-1).tolist() for part in segment] == item["segmentation"]
    assert total == 739


def test_keypoints_with_their_names_and_mirror(shared_data):
    path = shared_data / "coco_mini" / "annotations" / "person_keypoints_train2017.json"
    source = CocoSource(annotations=str(path))
    listed = json.loads(path.read_text())
    assert source.kind == "keypoints"
    with_people = [objects for objects in source.column("objects") if len(objects)]
    assert (len(with_people), sum(map(len, with_people))) == (36, 172)
    first = with_people[0].keypoints
    assert first.names == tuple(listed["categories"][0]["keypoints"])
    assert first.names[first.mirrored[1]] == "right_eye" and first.mirrored[0] == 0
    assert [[a + 1, b + 1] for a, b in first.edges] == listed["categories"][0]["skeleton"]
    visible = sum(int((objects.keypoints.points[..., 2] > 0).sum()) for objects in with_people)
    assert visible == sum(item["num_keypoints"] for item in listed["annotations"])


def test_every_finding_of_a_bad_file_has_its_id(shared_data):
    source = CocoSource(annotations=str(shared_data / "bad" / "coco_bad" / "annotations.json"))
    said = [f"{name}: {reason}" for name, reason in source.faults]
    for wanted in [
        "category 7: its id is that of 'wbc'",
        "image 2: its id is that of b.jpg",
        "image 3 (missing.jpg): missing.jpg is not in",
        "image 4 (b.jpg): the annotation says 999x777 pixels, the picture has 160x120",
        "annotation 3: its box (300, 300, 320, 320) lies wholly outside",
        "annotation 5: its box has no area: width 0",
        "annotation 6: its box has no area: width -5",
        "annotation 6: its id was used by an annotation before it",
        "annotation 7: its image 99",
        "annotation 8: its category 42",
        "annotation 10: its box has 3 numbers",
        "annotation 11: its box (5, 5, nan, 14)",
    ]:
        assert sum(wanted in line for line in said) == 1, wanted
    assert len(said) == 12
    assert any("1 number in annotations.json is NaN" in note for note in source.notices)
    assert any("2 boxes reach beyond" in note for note in source.notices)
    kept = list(source.column("objects"))
    assert [len(objects) for objects in kept] == [3, 0]
    assert np.isfinite(np.concatenate([objects.boxes for objects in kept])).all()


def test_a_cut_off_file_says_where(shared_data, tmp_path):
    with pytest.raises(DataError, match="cut off at column") as error:
        CocoSource(annotations=str(shared_data / "bad" / "coco_bad" / "annotations_truncated.json"))
    assert error.value.where.endswith("annotations_truncated.json:1")
    path = tmp_path / "x.json"
    path.write_text('{"images": [],\n "annotations": [\n  {"id": 1},\n  {"id" 2}]}')
    with pytest.raises(DataError, match="not JSON at column 9") as error:
        CocoSource(annotations=str(path))
    assert error.value.where == f"{path}:4"


def test_one_file_per_split_and_pictures_in_an_archive(tmp_path):
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        write(tmp_path / split, [annotation()])
    source = CocoSource(annotations={split: str(tmp_path / split / "x.json") for split in ("val", "train")})
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {"train": [2, 3], "val": [0, 1]}
    assert [len(objects) for objects in source.column("objects")] == [1, 0, 1, 0]
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.write(tmp_path / "train" / "a.png", "a.png")
    packed = CocoSource(annotations=str(tmp_path / "train" / "x.json"), images=str(tmp_path / "p.zip"))
    assert packed.sample_names() == ["a.png"]
    assert packed.faults[0][1].startswith("b.png is not in")
    assert packed.column("image")[0].read() == (tmp_path / "train" / "a.png").read_bytes()


def test_boxes_that_are_left_out_are_made_from_the_outline(tmp_path):
    runs = run_lengths.from_mask(np.pad(np.ones((4, 6), bool), ((3, 23), (5, 29))))
    polygon = {"id": 1, "image_id": 1, "category_id": 3, "segmentation": [[1, 2, 9, 2, 9, 8.5]]}
    mask = {
        "id": 2, "image_id": 1, "category_id": 5,
        "segmentation": {"size": [30, 40], "counts": run_lengths.to_text(runs)},
    }  # fmt: skip
    objects = CocoSource(annotations=write(tmp_path, [polygon, mask])).column("objects")[0]
    assert objects.boxes.tolist() == [[1, 2, 9, 8.5], [5, 3, 11, 7]]
    assert objects.labels == ("cat", "dog")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"segmentation": [[1, 2, 3, 4]]}, "4 numbers; three points"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "5 numbers; three points"),
        ({"segmentation": [["a"] * 6]}, "no list of finite numbers"),
        ({"segmentation": {"size": [30, 40], "counts": [5]}}, "its runs cover 5 pixels of 1200"),
        ({"segmentation": {"size": [30, 40], "counts": "zz\x01"}}, "no run-length text has"),
        ({"segmentation": {"size": [1 << 40, 2], "counts": []}}, "run lengths cannot be read"),
        ({"keypoints": [1, 2]}, "again and again"),
        ({"bbox": "1 2 3 4"}, "is missing or no list"),
        ({"bbox": [1, 2, True, 4]}, "is not of finite numbers"),
        ({"bbox": [1, 2, 1e300, 4]}, "is not of finite numbers"),
        ({"category_id": [3]}, "is not among the file's categories"),
        ({"image_id": None}, "is not among the file's images"),
    ],
)
def test_objects_that_cannot_be_used(tmp_path, more, reason):
    source = CocoSource(annotations=write(tmp_path, [{**annotation(), **more}, annotation(2)]))
    assert [len(objects) for objects in source.column("objects")] == [1, 0]
    ((name, said),) = source.faults
    assert name == "x.json: annotation 1" and reason in said


def test_file_names_stay_in_their_folder(tmp_path):
    images = [
        {"id": n, "file_name": name, "width": 40, "height": 30}
        for n, name in enumerate(["a.png", "../a.png", "/etc/passwd", "C:\\a.png", "d/../../a.png"])
    ]
    source = CocoSource(annotations=write(tmp_path, [annotation(image=0)], images))
    assert source.sample_names() == ["a.png"]
    assert Counter("leads out" in reason for _, reason in source.faults) == {True: 4}


def test_other_files_are_named_for_what_they_are(shared_data, tmp_path):
    for name, source in [
        ("coco_mini/annotations/captions_train2017.json", "coco_captions"),
        ("coco128/panoptic_segmentation/annotations/panoptic_train2017.json", "coco_panoptic"),
    ]:
        with pytest.raises(DataError) as error:
            CocoSource(annotations=str(shared_data / name))
        assert error.value.fix == f"use the source `{source}`"
    path = tmp_path / "x.json"
    for text, message in [
        ("[1, 2]", "an object `{...}` at the top is missing"),
        ('{"a": 1}', "it is no COCO file"),
        ("", "cut off"),
        ('{"a": ' + "[" * 100_000, "it cannot be read"),
        ('{"a": ' + "9" * 10_000 + "}", "it cannot be read"),
    ]:
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            CocoSource(annotations=str(path))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(data=st.data())
def test_any_value_anywhere_is_a_sample_or_a_fault(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    items = {
        "images": {"id": 1, "file_name": "a.png", "width": 40, "height": 30},
        "categories": {"id": 3, "name": "cat", "keypoints": ["p"], "skeleton": [[1, 1]]},
        "annotations": annotation(segmentation=[[1, 2, 3, 4, 5, 6]], keypoints=[1, 2, 2], iscrowd=0, area=9),
    }
    section = data.draw(st.sampled_from(sorted(items)))
    field = data.draw(st.sampled_from(sorted(items[section])))
    items[section][field] = data.draw(anything)
    path = write(folder, [items["annotations"]], [items["images"]], [items["categories"]])
    try:
        source = CocoSource(annotations=path)
    except DataError:
        return
    for objects in source.column("objects"):
        assert np.isfinite(objects.boxes).all()
        assert len(objects.boxes) == len(objects.labels) == len(objects.names)


def test_categories_of_one_name_and_objects_without_a_box_are_told(tmp_path):
    categories = [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}, {"id": 8, "name": "cat"}]
    outlined = {**annotation(category=8), "bbox": None, "segmentation": [[1, 2, 9, 2, 9, 8.5]]}
    source = CocoSource(annotations=write(tmp_path, [outlined, annotation(2, category=7)], None, categories))
    assert source.column("objects")[0].labels == ("cat", "cat")
    assert source.notices == [
        "2 categories of x.json are called 'cat' and are one class: ids 7, 8",
        "1 object has no `bbox` (missing or null) and is given the box of its outline",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"images": {}, "annotations": []}, "`images` is an object, no list"),
        ({"images": [], "annotations": [], "info": 1}, "it lists no images; it has info"),
        ({"images": [1], "annotations": None}, "`annotations` is null, no list"),
    ],
)
def test_what_stands_there_instead_of_lists_is_said(tmp_path, content, why):
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(DataError) as error:
        CocoSource(annotations=str(tmp_path / "x.json"))
    assert error.value.why == why


def test_annotations_without_ids_have_places_of_their_own(tmp_path):
    source = CocoSource(annotations=write(tmp_path, [annotation(None), annotation(None, category=5)]))
    assert len(set(source.column("objects")[0].names)) == 2
