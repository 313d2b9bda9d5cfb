import json

import numpy as np
import pytest
import yaml
from PIL import Image

from trainwright.data.checks.finding import Severity
from trainwright.data.fixes import Fix
from trainwright.errors import DataError, UserError
from trainwright.workflows.checking import check
from trainwright.workflows.data_fixing import _counts
from trainwright.workflows.gate import check_data
from trainwright.workflows.training import train

RNG = np.random.default_rng(1)


@pytest.fixture
def leaking(tmp_path):
    """Class folders with splits in which one test picture is a training picture too."""
    for split, count in (("train", 12), ("test", 6)):
        for name in ("cat", "dog"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for place in range(count):
                Image.fromarray(RNG.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(
                    folder / f"{place}.png"
                )
    copy = tmp_path / "photos" / "train" / "cat" / "3.png"
    copy.write_bytes((tmp_path / "photos" / "test" / "cat" / "1.png").read_bytes())
    return recipe(tmp_path)


def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "leaking",
                "data": {
                    "source": {"name": "folder", "root": str(tmp_path / "photos")},
                    "inputs": {"image": {"type": "image"}},
                    "targets": {"label": {"type": "category"}},
                },
                "model": {"name": "cnn", "widths": [4]},
                "train": {"epochs": 1, "batch_size": 8, "precision": "fp32"},
                "report": {"enabled": False},
            }
        )
    )
    return path


def test_errors_stop_before_the_first_step_and_leave_no_run(leaking, tmp_path):
    with pytest.raises(DataError, match="1 held-out sample is in another split") as caught:
        train(leaking, runs_dir=tmp_path / "runs")
    assert "data.gate: {errors: report}" in caught.value.fix
    assert not list((tmp_path / "runs").glob("leaking-*/run.json"))
    with pytest.raises(DataError, match="1 held-out sample is in another split"):
        check(leaking)


def test_a_recipe_may_train_all_the_same_and_is_told(leaking, tmp_path):
    done = train(leaking, ["data.gate.errors=report"], runs_dir=tmp_path / "runs")
    assert any("data error: 1 held-out sample is" in message for message in done.messages)
    found = json.loads((done.path / "data" / "check.json").read_text())
    assert found["counts"]["error"] == 1
    page = (done.path / "data" / "check.html").read_text()
    assert "test/cat/1.png" in page
    assert page.count("data:image/png;base64,") >= 2
    assert "http" not in page.replace("http-equiv", "")


def test_the_gate_changes_no_salt(leaking, tmp_path):
    first = train(leaking, ["data.gate.errors=report"], runs_dir=tmp_path / "runs")
    again = train(leaking, ["data.gate.skip=[duplicates]"], runs_dir=tmp_path / "runs")
    assert again.repeated
    assert again.path == first.path


def test_a_folder_without_a_recipe_is_checked(tmp_path, make_photos):
    folder = make_photos(tmp_path / "photos", each=10, size=20)
    (folder / "cat" / "3.png").write_bytes(b"no image")
    checked = check_data(folder)
    assert not checked.in_order
    errors = [item for item in checked.findings.found if item["severity"] == "error"]
    assert [(item["check"], item["examples"][0]["sample"]) for item in errors] == [
        ("unreadable", "cat/3.png")
    ]


def test_splits_with_other_classes_are_told_as_an_error(leaking, tmp_path):
    (tmp_path / "photos" / "test" / "dog").rename(tmp_path / "photos" / "test" / "dogs")
    checked = check_data(leaking)
    assert not checked.in_order
    assert "dogs" in checked.findings.found[0]["examples"][0]["detail"]


@pytest.mark.parametrize("split", [{"val": 0.15, "test": 0.15}, {"val": 0.01}])
def test_faults_are_told_although_a_split_is_empty(shared_data, split):
    recipe = {
        "name": "bad",
        "data": {
            "source": {"name": "table", "path": str(shared_data / "bad" / "ragged.csv")},
            "inputs": {"x": {"type": "number", "columns": ["sepal_length"], "missing": "mean"}},
            "targets": {"species": {"type": "category"}},
            "split": split,
        },
        "model": {"name": "mlp"},
    }
    checked = check_data(recipe)
    first, second = checked.findings.of_severity(Severity.ERROR)
    assert first["what"] == "split cannot be made as the recipe says"
    assert "0.25 or more, or write `data.split: {}`" in first["fix"]
    assert (second["check"], second["count"]) == ("unreadable", 2)
    assert not checked.in_order
    advised = recipe | {"data": recipe["data"] | {"split": {}}}
    assert [item["check"] for item in check_data(advised).findings.of_severity(Severity.ERROR)] == [
        "unreadable"
    ]


def test_a_fix_for_two_reasons_is_counted_once():
    old = [Fix("leave_out", "a", "x")]
    new = [Fix("leave_out", "a", "y"), Fix("leave_out", "b", "x"), Fix("leave_out", "b", "y")]
    clipped = [Fix("clip_objects", "c", "z", (0, 2))]
    assert _counts(old, [*new, *clipped]) == {"leave_out": 1, "clip_objects": 2}


def test_pictures_whose_annotations_are_all_faulty_are_not_taken_for_unlabelled_ones(tmp_path, make_photos):
    folder = make_photos(tmp_path / "photos", each=1) / "cat"
    (folder / "0.xml").write_text("<annotation><filename>0.png</filename><object><name>cat</name></object>")
    with pytest.raises(UserError) as refused:
        check_data(folder)
    assert "0.xml" in str(refused.value) and "cut off" in str(refused.value)
    (folder / "0.xml").unlink()
    assert check_data(folder).in_order  # pictures alone may well have no labels
