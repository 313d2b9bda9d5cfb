"""COCO's results file, scored by pycocotools against the file that the pictures belong to."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest

from trainwright.data.objects import Objects
from trainwright.data.sources.coco import CocoSource
from trainwright.errors import UserError
from trainwright.inference.answers import object_records
from trainwright.inference.coco_ids import CocoListing, ResultIds, counted_ids, ids_for, ids_of_file
from trainwright.inference.coco_results import coco_results
from trainwright.inference.predictions import Predictions

FOUND = [[{"class": "dog", "score": 0.9, "box": [10.0, 20.0, 40.5, 60.0]}], []]


def predictions(found, samples=("pics/000042.jpg", "b.jpg")):
    return Predictions({"sample": list(samples), "pets_predicted": found}, {"pets": ("cat", "dog")})


def listing(path, pictures, categories):
    """A COCO file with these pictures and categories, name -> id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "images": [
            {"id": number, "file_name": name, "width": 9, "height": 8} for name, number in pictures.items()
        ],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": [],
    }
    path.write_text(json.dumps(content))
    return CocoListing(path)


def test_boxes_become_corner_and_size_under_the_given_ids():
    ids = ResultIds([42, "x"], {"dog": 18})
    assert json.loads(coco_results(predictions(FOUND), "pets", ids)) == [
        {
            "image_id": 42,
            "category_id": 18,
            "category": "dog",
            "file_name": "pics/000042.jpg",
            "bbox": [10.0, 20.0, 30.5, 40.0],
            "score": 0.9,
        }
    ]


def test_points_follow():
    found = [[{**FOUND[0][0], "points": [[1.0, 2.0, 2.0], [3.0, 4.0, 0.0]]}], None]
    [entry] = json.loads(coco_results(predictions(found), "pets", ResultIds([1, 2], {"dog": 2})))
    assert entry["keypoints"] == [1.0, 2.0, 2.0, 3.0, 4.0, 0.0]


def test_counted_ids_keep_pictures_of_one_name_apart_and_the_legend_is_a_coco_file(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    ids = counted_ids(["a/1.png", "b/1.png"], ("cat", "dog"))
    found = [FOUND[0], FOUND[0]]
    results = json.loads(coco_results(predictions(found, ("a/1.png", "b/1.png")), "pets", ids))
    assert [item["image_id"] for item in results] == [1, 2]
    (tmp_path / "ids.json").write_bytes(ids.legend([(60, 80), None]))
    (tmp_path / "results.json").write_text(json.dumps(results))
    with contextlib.redirect_stdout(io.StringIO()):
        read = coco.COCO(str(tmp_path / "ids.json"))
        loaded = read.loadRes(str(tmp_path / "results.json"))
    assert read.imgs[1] == {"id": 1, "file_name": "a/1.png", "width": 80, "height": 60}
    assert [read.cats[item["category_id"]]["name"] for item in loaded.dataset["annotations"]] == [
        "dog",
        "dog",
    ]


def test_ids_of_a_file_go_by_path_and_name(tmp_path):
    known = listing(tmp_path / "a.json", {"1.png": 7, "night/1.png": 9}, {"dog": 3, "cat": 30})
    ids = ids_of_file(known, ["x/night/1.png", "x/1.png"], ("cat", "dog", "emu"))
    assert ids.images == [9, 7] and ids.categories == {"cat": 30, "dog": 3}


def test_a_picture_is_the_one_that_lies_where_the_file_says(tmp_path):
    known = listing(tmp_path / "annotations" / "a.json", {"1.png": 7}, {"cat": 1})
    for folder in ("images", "images/other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").touch()
    samples = [str(tmp_path / "images" / "1.png"), str(tmp_path / "images" / "other" / "1.png")]
    assert known.ids_of(samples) == [7, None]


@pytest.mark.parametrize(
    ("samples", "classes", "told"),
    [
        (["a/1.png", "2.png"], ("cat",), "does not list 1 of 2 pictures, such as 2.png"),
        (["a/1.png", "b/1.png"], ("cat",), "two pictures would have the id 7: a/1.png and b/1.png"),
        (["1.png"], ("yak",), "none of the run's classes"),
    ],
)
def test_a_named_file_that_does_not_fit_is_refused(tmp_path, samples, classes, told):
    listing(tmp_path / "a.json", {"1.png": 7}, {"cat": 1})
    with pytest.raises(UserError, match=told):
        ids_for(samples, classes, str(tmp_path / "a.json"), iter(()))


def test_the_first_file_that_lists_all_is_taken_and_else_ids_are_counted(tmp_path):
    files = [tmp_path / f"{name}.json" for name in "abc"]
    listing(files[0], {"1.png": 7}, {"yak": 1})
    listing(files[1], {"1.png": 8}, {"cat": 5})
    files[2].write_text('{"images": [')
    found = ids_for(["1.png"], ("cat",), None, iter([files[2], *files[:2]]))
    assert (found.images, found.categories, found.file) == ([8], {"cat": 5}, files[1])
    counted = ids_for(["2.png", "1.png"], ("cat",), None, iter(files[:2]))
    assert (counted.images, counted.file) == ([1, 2], None)


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_the_truth_written_as_results_scores_one(shared_data, tmp_path, kind):
    """Perfect answers for real pictures, in the order of our own reading, with ids of the original file."""
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    name = "person_keypoints" if kind == "keypoints" else "instances"
    file = shared_data / "coco_mini" / "annotations" / f"{name}_train2017.json"
    source = CocoSource(annotations=str(file))
    rows = range(0, len(source), 4)
    found = [_as_found(source.objects(row), kind) for row in rows]
    samples = [source.pictures[row].name for row in rows]
    answers = Predictions({"sample": samples, "objects_predicted": found}, {"objects": source.class_names})
    ids = ids_of_file(CocoListing(file), samples, source.class_names)
    (tmp_path / "results.json").write_bytes(coco_results(answers, "objects", ids))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(file))
        scored = evaluation.COCOeval(truth, truth.loadRes(str(tmp_path / "results.json")), kind)
        scored.params.imgIds = ids.images
        for step in (scored.evaluate, scored.accumulate, scored.summarize):
            step()
    assert scored.stats[0] > 0.999


def _as_found(objects: Objects, kind: str) -> list[dict[str, object]]:
    """Annotated objects as a model finds them: crowds are none."""
    kept = [place for place in range(len(objects)) if not objects.crowd[place]]
    points = objects.keypoints if kind == "keypoints" else None
    if points is not None:
        kept = [place for place in kept if points.points[place, :, 2].any()]
    segments = [_pixels(objects.segments[place], objects.size) for place in kept] if kind == "segm" else ()
    if points is not None:
        points = type(points)(points.points[kept], points.names, points.mirrored, points.edges)
    labels = tuple(objects.labels[place] for place in kept)
    scores = {"score": np.ones(len(kept))}
    return object_records(
        Objects(
            objects.size,
            labels,
            objects.boxes[kept],
            segments=tuple(segments),
            keypoints=points,
            extra=scores,
        )
    )


def _pixels(polygons, size):
    """The pixels within polygons, as pycocotools fills them."""
    masks = pytest.importorskip("pycocotools.mask")
    parts = masks.frPyObjects([np.ravel(polygon).tolist() for polygon in polygons], *size)
    return masks.decode(masks.merge(parts)).astype(bool)
