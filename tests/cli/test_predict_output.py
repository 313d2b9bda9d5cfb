"""The format that predict writes."""

from __future__ import annotations

import pytest

from trainwright.cli.parsing import UsageError
from trainwright.cli.predict import format_of, make_folder, refuse_input


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
