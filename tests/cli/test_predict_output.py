"""The format that predict writes."""

from __future__ import annotations

import argparse
import sys

import pytest
import yaml

from trainwright.cli.parsing import UsageError
from trainwright.cli.predict import format_of, make_folder, refuse_input
from trainwright.cli.predict_words import share


@pytest.mark.parametrize(
    ("output", "given", "expected"),
    [
        ("-", None, "csv"),
        ("-", "json", "json"),
        ("a.json", None, "json"),
        ("a.PARQUET", None, "parquet"),
        ("a.txt", "csv", "csv"),
        ("a.jsonl", "jsonl", "jsonl"),
    ],
)
def test_format(output, given, expected):
    assert format_of(output, given) == expected


@pytest.mark.parametrize(("output", "given"), [("a.txt", None), ("a", None), ("a.csv", "json")])
def test_format_that_cannot_be_meant(output, given):
    with pytest.raises(UsageError):
        format_of(output, given)


def test_wrong_output_is_told_before_anything_is_read(command):
    answer = command("predict", "no-run", "no-file", "-o", "a.txt")
    assert answer.code == 2 and "cannot tell a format" in answer.err


def test_an_output_that_cannot_be_written_is_told_before_anything_is_read(command, tmp_path):
    answer = command("predict", "no-run", "no-file", "-o", str(tmp_path / "no" / "a.csv"))
    assert answer.code == 2 and "there is no such folder" in answer.err and "untouched" not in answer.err


def test_a_folder_with_files_of_others_is_not_written_to(tmp_path):
    (tmp_path / "1.png").write_bytes(b"a photo")
    with pytest.raises(UsageError, match="did not write"):
        make_folder(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["1.png"]


def test_a_folder_that_predict_made_is_written_to_again(tmp_path):
    folder = tmp_path / "drawn"
    make_folder(str(folder))
    (folder / "1.png").write_bytes(b"drawn")
    make_folder(str(folder))
    assert (folder / "1.png").exists()
    with pytest.raises(UsageError, match="cannot be made"):
        make_folder(str(tmp_path / "a" / "b"))


def test_two_kinds_of_pictures_need_two_folders(command, tmp_path):
    out = str(tmp_path / "out")
    answer = command("predict", "no-run", "no-file", "--draw", out, "--pictures", out)
    assert answer.code == 2 and "a folder of its own" in answer.err


def test_answers_do_not_replace_what_is_asked_about(tmp_path):
    table, other = tmp_path / "in.csv", tmp_path / "other.csv"
    table.write_text("x\n1\n")
    with pytest.raises(UsageError, match="asked about itself"):
        refuse_input(str(tmp_path / "." / "in.csv"), ["-", str(table)])
    refuse_input(str(other), [str(table)])
    assert table.read_text() == "x\n1\n" and not other.exists()


@pytest.mark.parametrize("text", ["nan", "7", "-0.1", "inf", "1,0", ""])
def test_a_score_is_from_0_to_1(command, text):
    answer = command("predict", "no-run", "no-file", "--min-score", text)
    assert answer.code == 2 and "from 0 to 1" in answer.err
    with pytest.raises(argparse.ArgumentTypeError):
        share(text)
    assert share("0") == 0 and share("1") == 1 and share("0.25") == 0.25


@pytest.fixture
def classifier(make_run):
    """A run of a category, as its recipe says: no weights, no processors."""
    run = make_run("abc")
    source = {"name": "folder", "root": "photos"}
    data = {"source": source, "inputs": {"image": "image"}, "targets": {"label": "category"}}
    run.resolved.write_text(yaml.safe_dump({"name": "x", "data": data, "model": "cnn"}))
    return run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--draw", "OUT"], "finds no objects or classes of pixels"),
        (["--pictures", "OUT"], "gives no answer that is a picture"),
        (["--format", "coco"], "and the run has none"),
        (["--then", "RUN"], "finds no objects to go on with"),
        (["--min-score", "0.5"], "finds no objects that would have a score"),
        (["--ids", "a.json"], "only COCO's results have ids"),
    ],
)
def test_what_the_run_cannot_answer_is_told_before_anything_is_read(
    classifier, command, tmp_path, words, told
):
    out = tmp_path / "out"
    named = {"OUT": str(out), "RUN": str(classifier.path)}
    before = "torch" in sys.modules
    answer = command("predict", str(classifier.path), "no-file", *(named.get(word, word) for word in words))
    assert answer.code == 2 and told in answer.err and "no-file" not in answer.err
    assert not out.exists() and ("torch" in sys.modules) == before


def test_a_folder_is_made_only_when_there_is_something_for_it(classifier, command, tmp_path):
    data = yaml.safe_load(classifier.resolved.read_text())
    data["data"]["targets"] = {"objects": "boxes"}
    classifier.resolved.write_text(yaml.safe_dump(data))
    answer = command("predict", str(classifier.path), "no-file", "--draw", str(tmp_path / "out"))
    assert answer.code == 2 and "no-file" in answer.err and not (tmp_path / "out").exists()
