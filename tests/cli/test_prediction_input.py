"""What predict takes, and the format it writes."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainwright.cli.parsing import UsageError
from trainwright.cli.predict import format_of
from trainwright.cli.prediction_input import read_items
from trainwright.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name in ("b.jpg", "a.jpg", "more/c.jpg", ".hidden"):
        (tmp_path / "photos" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pipe(monkeypatch):
    def fill(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return fill


def test_files_and_folders(folder):
    items, names = read_items(["photos/b.jpg", "photos"])
    assert items == names == ["photos/b.jpg", "photos/a.jpg", "photos/b.jpg", "photos/more/c.jpg"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_rows_are_named_by_line(tmp_path, delimiter):
    path = tmp_path / "t.csv"
    path.write_text("\ufeffa,b\n1,x\n2,\n".replace(",", delimiter), encoding="utf-8")
    items, names = read_items([str(path)])
    assert items == [{"a": "1", "b": "x"}, {"a": "2", "b": ""}]
    assert names == [f"{path}:2", f"{path}:3"]


def test_parquet_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), path)
    items, names = read_items([str(path)])
    assert items == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert names == [f"{path}:0", f"{path}:1"]


def test_paths_from_a_pipe(folder, pipe):
    pipe("photos/b.jpg\n\nphotos/a.jpg\n")
    assert read_items(["-"])[0] == ["photos/b.jpg", "photos/a.jpg"]


def test_rows_from_a_pipe(pipe):
    pipe("a,b\n1,2\n")
    assert read_items(["-"]) == ([{"a": "1", "b": "2"}], ["stdin:2"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing came through the pipe"),
        ("no/such.jpg\n", "there is no such file"),
        ("photos/a.jpg\nno/such.jpg\n", "no/such.jpg: there is no such file"),
        ("a,b\n", "the table has no rows"),
        ("a,b\n1,2\n1\n", "stdin:3: the row has not as many fields"),
        ("a,b\n1,2,3\n", "stdin:2: the row has not as many fields"),
    ],
)
def test_faults_of_a_pipe(folder, pipe, text, message):
    pipe(text)
    with pytest.raises(DataError) as caught:
        read_items(["-"])
    assert message in str(caught.value)


def test_missing_file_and_empty_folder(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_items([str(tmp_path / "x.jpg")])
    with pytest.raises(DataError, match="holds no files"):
        read_items([str(tmp_path)])


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
