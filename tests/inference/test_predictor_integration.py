"""One path from raw values to answers: what `evaluate` scored is what `predict` says, bit for bit."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_iris

import trainwright as tw
from trainwright.cli import main
from trainwright.data.sources.digits import DigitsSource
from trainwright.errors import DataError, UserError
from trainwright.inference.predictions import read_predictions
from trainwright.inference.predictor import Predictor

TINY = {
    "train.epochs": None,
    "train.steps": 30,
    "train.threads": 1,
    "train.precision": "fp32",
    "data.workers": 0,
    "report.enabled": False,
}
# They share the decoded pictures, and the scored run.
ONE_WORKER = pytest.mark.xdist_group("published")
PUBLISHED_20 = 8103  # of 10,000, by an evaluation that shares no code with this project
PUBLISHED_32 = 0.826


def evaluated(run, split="test"):
    return read_predictions(run.directory.evaluation(split) / "predictions.parquet")


def assert_same_answers(answers, stored, target="label"):
    assert answers[f"{target}_predicted"] == stored[f"{target}_predicted"]
    np.testing.assert_array_equal(answers[f"{target}_probabilities"], stored[f"{target}_probabilities"])
    assert answers.classes == stored.classes


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return tw.train("digits", TINY, runs_dir=tmp_path_factory.mktemp("digits"), progress=False)


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    runs = tmp_path_factory.mktemp("iris")
    return tw.train("iris_four_inputs", TINY, runs_dir=runs, progress=False)


@pytest.fixture(scope="module")
def pets(tmp_path_factory, make_photos):
    root = tmp_path_factory.mktemp("pets")
    recipe = {
        "name": "pets",
        "data": {
            "source": {"name": "folder", "root": str(make_photos(root / "photos", each=30, size=20))},
            "inputs": {"image": {"type": "image", "size": [16, 16]}},
            "targets": {"label": {"type": "category"}},
            "split": {"val": 0.2, "test": 0.6},
        },
        "model": {"name": "cnn", "widths": [4, 8], "batch_norm": True},
        "train": {"batch_size": 16},
    }
    run = tw.train(recipe, TINY, runs_dir=root / "runs", progress=False)
    return run, root / "photos"


def test_digits_arrays_are_answered_as_in_the_evaluation(digits):
    stored = evaluated(digits)
    images = DigitsSource().column("image")
    rows = stored["row"]
    assert_same_answers(digits.predict(images[rows]), stored)
    assert_same_answers(digits.predict([images[row] for row in rows]), stored)
    assert_same_answers(digits.predict(torch.from_numpy(images[rows, :, :, 0])), stored)
    for one in (
        images[rows[0]],
        images[rows[0], :, :, 0],
        images[rows[:1]],
        images[rows[0]].transpose(2, 0, 1),
    ):
        alone = digits.predict(one)
        assert len(alone) == 1
        # Other rows share its batch now, but the batch has the same shape.
        np.testing.assert_array_equal(alone["label_probabilities"][0], stored["label_probabilities"][0])


def test_another_batch_shape_changes_the_last_digits_at_most(digits):
    stored = evaluated(digits)
    predictor = Predictor.load(digits.path)
    predictor.runtime.execution = predictor.runtime.execution.with_choice(evaluation_batch=7)
    answers = predictor.predict(DigitsSource().column("image")[stored["row"]])
    np.testing.assert_allclose(
        answers["label_probabilities"], stored["label_probabilities"], atol=1e-5, rtol=0
    )


def test_pictures_from_files_are_answered_as_in_the_evaluation(pets):
    run, photos = pets
    stored = evaluated(run)
    paths = [photos / name for name in stored["sample"]]
    answers = run.predict(paths)
    assert answers["sample"] == [str(path) for path in paths]
    assert_same_answers(answers, stored)
    pictures = [Image.open(path) for path in paths]
    assert_same_answers(run.predict(pictures), stored)
    assert_same_answers(run.predict(np.stack([np.asarray(item) for item in pictures])), stored)
    assert_same_answers(run.predict([{"image": str(path)} for path in paths]), stored)
    assert len(run.predict(str(paths[0]))) == len(run.predict(np.asarray(pictures[0]))) == 1


def test_blocks_do_not_show(pets, monkeypatch):
    """A folder larger than memory is read in blocks; each ends in a padded batch."""
    from trainwright.inference import predictor

    run, photos = pets
    stored = evaluated(run)
    monkeypatch.setattr(predictor, "_BLOCK", 1)
    assert len(stored) > 2 * run.predictor.runtime.execution.evaluation_batch
    assert_same_answers(run.predict([photos / name for name in stored["sample"]]), stored)


def test_every_unreadable_item_is_named(pets, tmp_path):
    run, photos = pets
    text, missing = tmp_path / "text.png", tmp_path / "missing.png"
    text.write_text("hello")
    with pytest.raises(DataError) as failure:
        run.predict([photos / "cat" / "0.png", text, missing])
    assert "2 of 3 items cannot be read" in str(failure.value)
    assert "text.png: not an image" in str(failure.value)
    assert "missing.png: the file does not exist" in str(failure.value)
    with pytest.raises(UserError, match="nothing to predict"):
        run.predict([])


def test_like_faults_are_counted_once_and_an_item_counts_once(iris):
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    rows = [dict.fromkeys(names, "wide") | {"sample": "same"} for _ in range(5)]
    with pytest.raises(DataError) as failure:
        iris.predictor.predict(rows, names=[f"t.csv:{line}" for line in range(2, 7)])
    assert failure.value.what == "5 of 5 items cannot be read"
    [line] = failure.value.why.splitlines()
    assert line.endswith("5 times, in t.csv:2, t.csv:3, t.csv:4 and 2 more")
    assert "same" not in str(failure.value)


def test_what_cannot_be_read_is_skipped_when_asked(pets, tmp_path):
    run, photos = pets
    good = [photos / "cat" / "0.png", photos / "dog" / "1.png"]
    missing = tmp_path / "missing.png"
    answers = run.predict([good[0], missing, good[1]], on_bad="skip")
    assert answers["sample"] == [str(good[0]), str(missing), str(good[1])]
    assert answers["error"] == [None, "the file does not exist", None]
    assert answers["label_predicted"][1] is None and np.isnan(answers["label_probability"][1])
    alone = run.predict(good)
    assert answers["label_predicted"][::2] == alone["label_predicted"]
    np.testing.assert_array_equal(answers["label_probabilities"][[0, 2]], alone["label_probabilities"])
    assert answers.faults == (
        f"{missing}: the file does not exist",
        "1 of 3 items have no answer",
    )
    assert run.predict(good, on_bad="skip")["error"] == [None, None]
    with pytest.raises(DataError, match="1 of 1 items"):
        run.predict(missing, on_bad="skip")


def test_skipping_on_the_command_line(pets, tmp_path, capsysbinary):
    run, photos = pets
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.png").write_bytes((photos / "cat" / "0.png").read_bytes())
    (folder / "b.png").write_text("no picture")
    (folder / "LICENSE").write_text("words")
    assert main(["predict", str(run.path), str(folder), "--on-bad", "skip"]) == 0
    out, err = capsysbinary.readouterr()
    first, second = csv.DictReader(io.StringIO(out.decode()))
    assert first["error"] == "" and first["label_predicted"]
    assert "not an image" in second["error"] and not second["label_predicted"]
    assert (
        "1 of 3 files are no image by name" in err.decode() and "1 of 2 items have no answer" in err.decode()
    )
    assert main(["predict", str(run.path), str(folder)]) == 2


def test_floats_out_of_range_are_explained(digits):
    with pytest.raises(DataError, match=r"floating-point pixels go from 0 to 16, but are read as 0 to 1 "):
        digits.predict(np.linspace(0, 16, 64).reshape(8, 8))


def test_several_inputs(iris):
    stored = evaluated(iris)
    table = load_iris()
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    frame = pd.DataFrame(table.data, columns=names).iloc[stored["row"]]
    by_frame = iris.predict(frame)
    assert_same_answers(by_frame, stored, "species")
    # Rows as mappings; a column that no input reads does no harm.
    rows = [{**row, "note": "x"} for row in frame.to_dict("records")]
    assert_same_answers(iris.predict(rows), stored, "species")
    with pytest.raises(UserError, match=r"lacks the column 'petal_width'\n  why: it has sepal_length"):
        iris.predict(frame[names[:3]])
    with pytest.raises(UserError, match="several inputs"):
        iris.predict(frame.to_numpy())


def call(capsysbinary, *words):
    code = main(list(words))
    out, err = capsysbinary.readouterr()
    assert code == 0, err.decode()
    return out


def test_csv_json_and_parquet_say_the_same(pets, tmp_path, capsysbinary):
    run, photos = pets
    words = ["predict", str(run.path), str(photos / "cat"), str(photos / "dog" / "0.png")]
    rows = list(csv.DictReader(io.StringIO(call(capsysbinary, *words).decode())))
    records = json.loads(call(capsysbinary, *words, "--format", "json"))
    lines = [json.loads(line) for line in call(capsysbinary, *words, "--format", "jsonl").splitlines()]
    for suffix in ("csv", "json", "jsonl", "parquet"):
        call(capsysbinary, *words, "-o", str(tmp_path / f"answers.{suffix}"))
    table = pq.read_table(tmp_path / "answers.parquet")
    assert json.loads(table.schema.metadata[b"trainwright.classes"]) == {"label": ["cat", "dog"]}
    assert records == lines == json.loads((tmp_path / "answers.json").read_text())
    assert list(csv.DictReader((tmp_path / "answers.csv").open())) == rows
    assert len(rows) == 31 and rows[-1]["sample"] == str(photos / "dog" / "0.png")
    for row, record, kept in zip(rows, records, table.to_pylist(), strict=True):
        assert row["sample"] == record["sample"] == kept["sample"]
        assert row["label_predicted"] == record["label_predicted"] == kept["label_predicted"]
        probabilities = record["label_probabilities"]
        assert max(probabilities, key=probabilities.get) == row["label_predicted"]
        assert list(probabilities.values()) == kept["label_probabilities"]
        assert float(row["label_probabilities.dog"]) == probabilities["dog"]
        assert sum(probabilities.values()) == pytest.approx(1)


def test_pipes_in_and_out(iris, pets):
    """Paths, and rows of a table, through real pipes; nothing but the answer is on stdout."""

    def pipe(text: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "trainwright.cli", "predict", *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run, photos = pets
    paths = [str(photos / "dog" / f"{number}.png") for number in range(3)]
    said = pipe("\n".join(paths) + "\n", str(run.path), "-")
    assert [row["sample"] for row in csv.DictReader(io.StringIO(said))] == paths
    table = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n"
    answers = json.loads(pipe(table, str(iris.path), "-", "--format", "json"))
    assert [item["sample"] for item in answers] == ["stdin:2", "stdin:3"]
    direct = iris.predict(pd.read_csv(io.StringIO(table))).records()
    assert [item["species_probabilities"] for item in answers] == [
        item["species_probabilities"] for item in direct
    ]


@pytest.fixture(scope="module")
def published(shared_data, tmp_path_factory):
    """The published ResNet-20 weights, scored on the 10,000 test pictures in the zip."""
    runs = tmp_path_factory.mktemp("published")
    root = shared_data / "cifar10" / "cifar10_images.zip"
    weights = shared_data / "weights" / "resnet_cifar10"
    overrides = {"data.source.root": str(root), "train.threads": 1, "report.enabled": False}

    def score(depth: int, file: str) -> tw.Run:
        chosen = {**overrides, "init.path": str(weights / file), "model.depth": depth}
        return tw.train("cifar10_resnet20_published", chosen, runs_dir=runs, progress=False)

    return score, root


@pytest.fixture(scope="module")
def published_20(published):
    score, root = published
    return score(20, "resnet20-12fca82f.th"), root


@ONE_WORKER
def test_published_weights_get_the_published_score(published_20):
    run, _ = published_20
    stored = evaluated(run)
    right = sum(said == true for said, true in zip(stored["label_predicted"], stored["label"], strict=True))
    assert len(stored) == 10_000
    assert abs(right - PUBLISHED_20) <= 3
    assert run.results["test/accuracy"] == pytest.approx(right / 10_000)


@ONE_WORKER
def test_a_deeper_published_net(published):
    score, _ = published
    run = score(32, "resnet32-d509ac18.th")
    assert run.results["test/accuracy"] == pytest.approx(PUBLISHED_32, abs=5e-4)


@ONE_WORKER
def test_raw_jpegs_out_of_the_zip_are_answered_as_in_the_evaluation(published_20, tmp_path):
    run, archive = published_20
    stored = evaluated(run)
    chosen = range(0, len(stored), 77)
    with zipfile.ZipFile(archive) as members:
        by_end = {"/".join(Path(name).parts[-3:]): name for name in members.namelist()}
        paths = []
        for place in chosen:
            name = by_end["/".join(Path(stored["sample"][place]).parts[-3:])]
            paths.append(tmp_path / f"{place}.jpg")
            paths[-1].write_bytes(members.read(name))
    answers = run.predict(paths)
    assert answers["label_predicted"] == [stored["label_predicted"][place] for place in chosen]
    np.testing.assert_array_equal(answers["label_probabilities"], stored["label_probabilities"][list(chosen)])
