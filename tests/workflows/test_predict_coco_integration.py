"""What `predict --format coco` writes, scored by pycocotools against the file of the pictures."""

from __future__ import annotations

import contextlib
import io
import json
import shutil

import detection_formats as formats
import numpy as np
import pytest

import trainwright as tw
from trainwright.cli.entry import run_command
from trainwright.workflows.evaluating import evaluate

coco = pytest.importorskip("pycocotools.coco")
cocoeval = pytest.importorskip("pycocotools.cocoeval")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A detector trained on Pascal VOC until it finds something."""
    root = tmp_path_factory.mktemp("voc")
    recipe = formats.detector({"name": "voc", "root": str(formats.voc(root / "data"))})
    recipe["train"] |= {"steps": 80, "optimizer": {"name": "adamw", "lr": 0.01}}
    return tw.train(recipe, runs_dir=root / "runs", progress=False).path


def predicted(run, *words, output):
    assert run_command(["predict", str(run), *map(str, words), "--format", "coco", "-o", str(output)]) == 0
    return json.loads(output.read_text())


def score(truth, results, kind="bbox"):
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO(str(truth))
        scored = cocoeval.COCOeval(known, known.loadRes(str(results)), kind)
        if kind == "keypoints":
            scored.params.kpt_oks_sigmas = np.array([0.05, 0.05])
        for step in (scored.evaluate, scored.accumulate, scored.summarize):
            step()
    return scored.stats[:3].tolist()


@pytest.mark.parametrize("asked", ["annotations/instances.json", "images", "", "copy"])
def test_results_are_scored_as_evaluate_scores_the_run(run, tmp_path, capsys, asked):
    file = formats.coco(tmp_path / "coco")
    scores = evaluate(run, data=file)
    assert scores["map50"] > 0.05
    words = [tmp_path / "coco" / asked]
    if asked == "copy":
        shutil.copytree(tmp_path / "coco" / "images", tmp_path / "elsewhere" / "copy")
        words = [tmp_path / "elsewhere" / "copy", "--ids", file]
    predicted(run, *words, output=tmp_path / "results.json")
    expected = [scores[name] for name in ("map", "map50", "map75")]
    assert score(file, tmp_path / "results.json") == pytest.approx(expected, abs=2e-3)
    assert f"those of {file}" in capsys.readouterr().err
    assert not (tmp_path / "results_ids.json").exists()


@pytest.mark.parametrize(
    ("type", "head", "kind"),
    [("instances", "mask_rcnn", "segm"), ("keypoints", "keypoint_rcnn", "keypoints")],
)
def test_masks_and_points_are_scored_as_evaluate_scores_them(tmp_path, type, head, kind):
    file = formats.coco(tmp_path / "coco", points=True)
    recipe = formats.detector({"name": "coco", "annotations": str(file)}, type, head)
    recipe["train"] |= {"steps": 30, "optimizer": {"name": "adamw", "lr": 0.01}}
    if type == "keypoints":
        recipe["data"]["targets"]["objects"]["metrics"] = [{"name": "keypoint_map", "sigmas": 0.05}]
    run = tw.train(recipe, runs_dir=tmp_path / "runs", progress=False).path
    scores = evaluate(run, data=file)
    assert scores["map50"] > 0.05
    predicted(run, tmp_path / "coco" / "images", output=tmp_path / "results.json")
    expected = [scores[name] for name in ("map", "map50", "map75")]
    assert score(file, tmp_path / "results.json", kind) == pytest.approx(expected, abs=2e-3)


def test_without_a_coco_file_what_the_ids_mean_lies_beside(run, tmp_path, capsys):
    for folder in ("a", "b"):
        formats.scenes(tmp_path / folder, 1)
    words = [tmp_path / "a" / "images", tmp_path / "b" / "images"]
    found = predicted(run, *words, output=tmp_path / "results.json")
    told = json.loads((tmp_path / "results_ids.json").read_text())
    assert told["images"] == [
        {"id": number, "file_name": str(tmp_path / folder / "images" / "0.png"), "width": 64, "height": 48}
        for number, folder in ((1, "a"), (2, "b"))
    ]
    assert told["categories"] == [{"id": 1, "name": "blue"}, {"id": 2, "name": "red"}]
    assert {item["image_id"] for item in found} == {1, 2}
    assert "counted from 1" in capsys.readouterr().err
    # Again, over what predict wrote; but never over what others wrote.
    predicted(run, *words, output=tmp_path / "results.json")
    (tmp_path / "results_ids.json").write_text("[]")
    words = ["predict", str(run), str(words[0]), "--format", "coco", "-o", str(tmp_path / "results.json")]
    assert run_command(words) == 2 and "predict did not write it" in capsys.readouterr().err


def test_a_named_file_of_other_pictures_is_refused_before_anything_is_answered(run, tmp_path, capsys):
    file = formats.coco(tmp_path / "coco", 2)
    (tmp_path / "photos").mkdir()
    shutil.copy(tmp_path / "coco" / "images" / "0.png", tmp_path / "photos" / "new.png")
    words = ["predict", str(run), str(tmp_path / "photos"), "--format", "coco", "--ids", str(file)]
    assert run_command(words) == 2
    assert "does not list 1 of 1 picture, such as" in capsys.readouterr().err


def test_advice_is_not_what_was_done_already(run, tmp_path, capsys):
    (tmp_path / "a.png").write_text("no picture")
    words = ["predict", str(run), str(tmp_path / "a.png")]
    assert run_command(words) == 2 and "--on-bad skip" in capsys.readouterr().err
    assert run_command([*words, "--on-bad", "skip"]) == 2 and "--on-bad" not in capsys.readouterr().err
