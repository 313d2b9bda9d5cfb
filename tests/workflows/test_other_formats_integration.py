"""A run of one format scored on data of another: the same pictures have the same scores."""

from __future__ import annotations

import json

import detection_formats as formats
import pytest

import trainwright as tw
from trainwright.cli.entry import run_command
from trainwright.errors import UserError
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.continuing import continue_run
from trainwright.workflows.evaluating import evaluate


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A detector trained on Pascal VOC."""
    root = tmp_path_factory.mktemp("voc")
    recipe = formats.detector({"name": "voc", "root": str(formats.voc(root / "data"))})
    return tw.train(recipe, runs_dir=root / "runs", progress=False).path


@pytest.fixture(scope="module")
def expected(run, tmp_path_factory):
    """Its scores on VOC at another place."""
    return evaluate(run, data=formats.voc(tmp_path_factory.mktemp("other") / "voc"))


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (formats.coco, "annotations/instances.json"),
        (formats.coco, ""),
        (formats.yolo, "data.yaml"),
        (formats.yolo, ""),
        (lambda root: formats.coco(root, outlines=False), ""),
        (lambda root: formats.coco(root, points=True), ""),
    ],
)
def test_a_run_on_voc_is_scored_alike_on_other_formats(run, expected, tmp_path, make, place):
    make(tmp_path / "data")
    assert evaluate(run, data=tmp_path / "data" / place) == pytest.approx(expected, nan_ok=True)


def test_which_source_reads_the_data_is_told(run, tmp_path, capsys):
    formats.coco(tmp_path / "coco")
    assert run_command(["evaluate", str(run), "--data", str(tmp_path / "coco"), "--json"]) == 0
    told = capsys.readouterr().err
    assert "read by the source coco (COCO JSON: instances.json)" in told
    assert "the run's own source, voc, does not fit" in told
    formats.voc(tmp_path / "voc")
    assert run_command(["evaluate", str(run), "--data", str(tmp_path / "voc"), "--json"]) == 0
    assert "read by the run's own source, voc" in capsys.readouterr().err


def test_a_run_on_yolo_does_not_take_the_pictures_of_coco_for_background(tmp_path, expected):
    recipe = formats.detector({"name": "yolo", "root": str(formats.yolo(tmp_path / "yolo"))})
    run = tw.train(recipe, runs_dir=tmp_path / "runs", progress=False).path
    here = evaluate(run, data=tmp_path / "yolo", split="all")
    assert evaluate(run, data=formats.coco(tmp_path / "coco"), split="all") == pytest.approx(
        here, nan_ok=True
    )


def test_classes_that_the_run_does_not_know_are_told_and_can_be_left_out(run, expected, tmp_path, capsys):
    file = formats.coco(tmp_path / "coco", green=3)
    words = ["evaluate", str(run), "--data", str(file), "--json"]
    assert run_command(words) == 2
    told = capsys.readouterr().err
    assert "class 'green' is not among the 2 classes of training" in told and "others: drop" in told
    assert run_command([*words, "data.targets.objects.others=drop"]) == 0
    out, told = capsys.readouterr()
    scores = {name: value for name, value in json.loads(out)[str(run)].items() if value is not None}
    assert scores == pytest.approx({name: expected[name] for name in scores}) and "map" in scores
    assert "8 boxes: of other classes, left out" in told


def test_pictures_that_lie_elsewhere_are_named(run, expected, tmp_path):
    file = formats.coco(tmp_path / "coco")
    (tmp_path / "coco" / "images").rename(tmp_path / "photos")
    with pytest.raises(UserError, match="cannot be read for the run") as error:
        evaluate(run, data=file)
    assert "none of the first 8 pictures is found" in error.value.why
    assert error.value.fix == "name their folder: data.source.images"
    found = evaluate(run, data=file, overrides=[f"data.source.images={tmp_path / 'photos'}"])
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("words", [["data.source.images=x"], ["--data", "x", "model.neck.width=4"]])
def test_nothing_but_the_reading_of_other_data_can_be_overridden(run, words, capsys):
    assert run_command(["evaluate", str(run), *words]) == 2
    assert "of a trained run cannot be changed to score it" in capsys.readouterr().err


def test_other_data_are_not_divided(run, capsys):
    assert run_command(["evaluate", str(run), "--data", "x", "data.split.val=0.5"]) == 2
    assert "other data are scored as a whole" in capsys.readouterr().err


def test_a_training_goes_on_with_data_of_another_format(run, tmp_path):
    file = formats.coco(tmp_path / "coco", green=3)
    changes = {"train.steps": 4, "data.targets.objects.others": "drop"}
    child = RunDirectory(continue_run(run, changes, data=file).path)
    [before, after] = [json.loads(item.processors.read_text()) for item in (RunDirectory(run), child)]
    assert after["targets"]["objects"]["state"]["fitted"]["classes"] == ["blue", "red"]
    assert before["targets"]["objects"]["state"]["fitted"]["classes"] == ["blue", "red"]


@pytest.mark.parametrize(("type", "lacking"), [("instances", "outlines"), ("keypoints", "keypoints")])
def test_what_boxes_alone_cannot_give_is_told(tmp_path, type, lacking):
    from trainwright import recipe
    from trainwright.workflows.other_data import other_data

    head = {"instances": "mask_rcnn", "keypoints": "keypoint_rcnn"}[type]
    source = {"name": "coco", "annotations": str(formats.coco(tmp_path / "coco", points=True))}
    data = recipe.load(formats.detector(source, type, head)).recipe.data
    with pytest.raises(UserError, match="cannot be read for the run") as error:
        other_data(data, formats.voc(tmp_path / "voc"))
    assert f"needs {lacking}" in error.value.why
    assert other_data(data, tmp_path / "coco").source == "coco"


def test_of_several_coco_files_the_one_with_what_the_run_learns_is_read(shared_data, tmp_path):
    from trainwright import recipe
    from trainwright.workflows.other_data import other_data

    file = formats.coco(tmp_path / "coco", points=True)
    for type, head, wanted in (
        ("boxes", "fcos", "instances_train2017.json"),
        ("keypoints", "keypoint_rcnn", "person_keypoints_train2017.json"),
    ):
        recipes = formats.detector({"name": "coco", "annotations": str(file)}, type, head)
        found = other_data(recipe.load(recipes).recipe.data, shared_data / "coco_mini")
        [(split, chosen)] = found.overrides["data.source"]["annotations"].items()
        assert (split, chosen.rpartition("/")[2]) == ("train", wanted)
