"""`import trainwright as tw`: from values in memory, from a recipe, from a script, and back again."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits, load_iris

import trainwright as tw
from trainwright.errors import DataError, RecipeError
from trainwright.recipe import load as load_recipe

QUICK = {"train.threads": 1, "train.precision": "fp32", "report.enabled": False}
TABLE = {
    "name": "table",
    "data": {
        "source": "arrays",
        "inputs": {"x": {"type": "number"}},
        "targets": {"y": {"type": "category"}},
        "split": {"val": 0.2, "test": 0.2},
    },
    "model": {"name": "mlp", "hidden": [16]},
    "train": {"steps": 60, "batch_size": 16, "optimizer": {"name": "adamw", "lr": 0.02}},
}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X.astype(np.float32), y


@pytest.fixture(autouse=True)
def in_a_directory_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_shipped_recipe_by_name():
    run = tw.train("digits", {"train.epochs": 1, **QUICK}, progress=False)
    assert run.state == "done" and run.path.parent.name == "runs"
    assert 0.3 < run.results["test/accuracy"] <= 1
    images = load_digits().images * 15.9  # 0 to 16 in the file, 0 to 255 for pictures
    answers = run.predict(images[:20].astype(np.uint8))
    assert len(answers) == 20 and set(answers["label_predicted"]) <= set("0123456789")
    # The same once more is the same run, and says so without training.
    again = tw.train("digits", ["train.epochs=1", *(f"{k}={str(v).lower()}" for k, v in QUICK.items())])
    assert again.path == run.path and again.record.attempts == run.record.attempts


def test_values_in_memory(iris):
    X, y = iris
    run = tw.train(TABLE, QUICK, data=(X, y), progress=False)
    assert run.results["test/accuracy"] > 0.7
    assert run.predict(X[:3])["y_predicted"] == ["0", "0", "0"]
    assert run.evaluate("val") == pytest.approx(
        {name.removeprefix("val/"): value for name, value in run.results.items() if name.startswith("val/")}
    )
    # Columns by name are the same data, and so the same run.
    assert tw.train(TABLE, QUICK, data={"x": X, "y": y}, progress=False).path == run.path
    # A changed value is another run.
    changed = X.copy()
    changed[0, 0] += 1
    assert tw.train(TABLE, QUICK, data=(changed, y), progress=False).path != run.path


def test_evaluation_of_other_data_leaves_the_run_as_it_is(iris):
    X, y = iris
    run = tw.train(TABLE, QUICK, data=(X, y), progress=False)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    said = np.array(run.predict(X)["y_predicted"])
    for data in ((X, y), {"x": X, "y": y}):
        scores = tw.evaluate(run, data=data)
        assert scores["accuracy"] == pytest.approx((said == y.astype(str)).mean())
    # One class alone can be scored too.
    setosa = run.evaluate(data=(X[y == 0], y[y == 0]))
    assert setosa["accuracy"] == pytest.approx((said[y == 0] == "0").mean())
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_data_in_memory_have_to_be_given_again(iris):
    X, y = iris
    run = tw.train(TABLE, QUICK, data=(X, y), progress=False)
    with pytest.raises(DataError, match=r"data=\(X, y\)"):
        tw.load(run.path).evaluate()
    assert tw.load(run.path).evaluate(data=(X, y))["accuracy"] > 0.7


def test_a_data_frame(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame["wide"] = np.where(X[:, 1] > 3, "yes", "no")
    frame["species"] = np.array(["setosa", "versicolor", "virginica"])[y]
    recipe = {**TABLE, "name": "frame"}
    recipe["data"] = {
        "source": "arrays",
        "inputs": {"sizes": {"type": "number", "columns": ["a", "b", "c", "d"]}, "wide": "category"},
        "targets": {"species": "category"},
        "split": {"val": 0.2},
    }
    run = tw.train(recipe, QUICK, data=frame, progress=False)
    answers = run.predict(frame.iloc[[0, 60]].drop(columns="species"))
    assert answers["species_predicted"][0] == "setosa"
    assert answers.classes == {"species": ("setosa", "versicolor", "virginica")}
    assert answers.records()[0]["species_probabilities"].keys() == {"setosa", "versicolor", "virginica"}
    assert run.evaluate(data=frame)["accuracy"] > 0.6


class Flowers(torch.utils.data.Dataset):
    def __init__(self, X, y):
        self.X, self.y = torch.tensor(X), y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index], int(self.y[index])


def test_a_torch_dataset_is_the_same_run_as_its_arrays(iris):
    X, y = iris
    run = tw.train(TABLE, QUICK, data=(X, y), progress=False)
    assert tw.train(TABLE, QUICK, data=Flowers(X, y), progress=False).results == run.results
    parts = {"train": Flowers(X[::2], y[::2]), "val": Flowers(X[1::2], y[1::2])}
    recipe = {**TABLE, "data": {**TABLE["data"], "split": None}}
    split = tw.train(recipe, QUICK, data=parts, progress=False)
    assert split.record.data["sizes"] == {"train": 75, "val": 75}
    assert split.results["val/accuracy"] > 0.6


@pytest.mark.parametrize("kind", ["arrays", "frame", "dataset", "tensors"])
def test_fit_a_classifier(kind, iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"]).assign(species=np.array(["s", "e", "i"])[y])
    given = {
        "arrays": (X, y),
        "frame": (frame, "species"),
        "dataset": (Flowers(X, y),),
        "tensors": (torch.tensor(X), torch.tensor(y)),
    }[kind]
    run = tw.fit(*given, epochs=6, lr=0.02, batch_size=16, overrides=QUICK, progress=False)
    assert run.results["val/accuracy"] > 0.6
    assert run.predict(frame.head(2) if kind == "frame" else X[:2]).columns
    # The run carries a recipe that says everything.
    assert load_recipe(run.directory.resolved).recipe.train.epochs == 6


def test_fit_numbers_and_pictures(iris):
    X, _ = iris
    run = tw.fit(X[:, :3], X[:, 3], epochs=20, lr=0.01, overrides=QUICK, progress=False, name="width")
    assert run.results["val/r2"] > 0.5
    predicted = run.predict(X[:5, :3])["y_predicted"]
    assert np.abs(predicted - X[:5, 3]).max() < 1  # centimetres, not standard deviations
    pictures = np.random.default_rng(0).integers(0, 255, (40, 9, 9, 3), dtype=np.uint8)
    labels = np.arange(40) % 2
    overrides = {**QUICK, "train.epochs": None, "train.steps": 2}
    run = tw.fit(pictures, labels, model="cnn", overrides=overrides, progress=False)
    assert len(run.predict(pictures)) == 40


def test_fit_says_what_is_wrong(iris):
    X, y = iris
    with pytest.raises(DataError, match="X has 150 rows and y has 3"):
        tw.fit(X, y[:3], progress=False)
    with pytest.raises(RecipeError, match="did you mean `mlp`"):
        tw.fit(X, y, model="mpl", progress=False)
    with pytest.raises(DataError, match="needs its targets"):
        tw.fit(X, progress=False)
    with pytest.raises(DataError, match="no column 'specie'"):
        tw.fit(pd.DataFrame({"a": [1.0, 2.0]}), "specie", progress=False)
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


def test_a_run_shows_itself(iris):
    X, y = iris
    run = tw.fit(X, y, epochs=4, overrides=QUICK, progress=False)
    steps, values = run.curves["val/accuracy"]
    assert len(steps) == len(values) == 4
    assert repr(run).startswith(f"<Run {run.id}: done, val/loss=")
    page = run._repr_html_()
    assert run.id in page and "val/accuracy" in page
    [picture] = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    figure = run.plot("loss")
    assert [axes.get_title() for axes in figure.axes] == ["loss"]
    with pytest.raises(KeyError, match="'los' was not logged"):
        run.plot("los")
    found = tw.load(run.id)
    assert found.path.resolve() == run.path.resolve() and found.results == run.results
    assert run.report().exists()


def test_check_tells_what_it_found():
    lines = tw.check("digits", {"train.threads": 1})
    assert "data: train 1258, val 270, test 269" in lines
    assert lines[-1] == "everything that can be checked before the first step is in order"
    with pytest.raises(RecipeError, match=r"did you mean `train\.epochs`"):
        tw.check("digits", {"train.epoch": 1})
    assert not Path("runs").exists()


def test_resume_of_a_run_that_is_done(iris):
    X, y = iris
    run = tw.train(TABLE, QUICK, data=(X, y), progress=False)
    again = tw.resume(run, data=(X, y), progress=False)
    assert again.path == run.path and len(again.record.attempts) == 1


def test_a_script_without_a_main_guard(make_photos, tmp_path):
    """Decoding processes start, and the script is not run again by any of them."""
    make_photos(tmp_path / "photos", each=40, size=24)
    script = """
        print("begin")
        import trainwright as tw

        class Notices:
            decoded = 0
            def __getattr__(self, name):
                return lambda *args: None
            def data(self, done, total, stage):
                if stage == "decode":
                    self.decoded = max(self.decoded, done)

        sink = Notices()
        run = tw.train(
            {
                "name": "pets",
                "data": {
                    "source": {"name": "folder", "root": "photos"},
                    "inputs": {"image": {"type": "image", "size": [16, 16]}},
                    "targets": {"label": "category"},
                    "split": {"val": 0.2, "test": 0.2},
                    "workers": 2,
                },
                "model": {"name": "cnn", "widths": [4]},
                "train": {"steps": 2, "batch_size": 16, "threads": 1, "precision": "fp32"},
                "report": {"enabled": False},
            },
            progress=sink,
        )
        print(run.state, sink.decoded, len(run.predict(["photos/cat/0.png", "photos/dog/1.png"])))
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "begin\ndone 80 2\n"
    assert done.stderr == ""
