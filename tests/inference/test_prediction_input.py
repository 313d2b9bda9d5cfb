"""What predict takes."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainwright.errors import DataError
from trainwright.inference.expected import Expected, TextTable
from trainwright.inference.prediction_input import read_items

PICTURES = Expected({"image": "image"}, {"image": ("image",)})
ROWS = Expected({"x": "number", "kind": "category"}, {"x": ("a", "c"), "kind": ("kind",)})


def read(words, expected=PICTURES):
    found = read_items(words, expected)
    return found.items, found.names


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name in ("b.jpg", "a.jpg", "more/c.jpg", ".hidden"):
        (tmp_path / "photos" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pipe(monkeypatch):
    def fill(data: str | bytes) -> None:
        data = data.encode() if isinstance(data, str) else data
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return fill


def test_files_and_folders(folder):
    items, names = read(["photos/b.jpg", "photos"])
    assert items == names == ["photos/b.jpg", "photos/a.jpg", "photos/b.jpg", "photos/more/c.jpg"]


def test_what_is_no_picture_by_name_is_left_out_of_a_folder_and_counted(folder):
    for name in ("LICENSE", "more/index.csv"):
        (folder / "photos" / name).write_text("words")
    found = read_items(["photos"], PICTURES)
    assert len(found.items) == 3
    assert found.notices == [
        "photos: 2 of 5 files are no image by name and are left out: LICENSE, more/index.csv"
    ]
    assert read(["photos/LICENSE"])[0] == ["photos/LICENSE"]  # named outright, it is tried
    (folder / "photos/more/index.csv").unlink()
    with pytest.raises(DataError, match="holds no table files, by their names") as error:
        read(["photos"], ROWS)
    assert "it holds" in error.value.why


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_table_rows_are_named_by_line(tmp_path, delimiter):
    path = tmp_path / "t.csv"
    path.write_text('\ufeffa,b\n1,"x\ny"\n\n2,\n'.replace(",", delimiter), encoding="utf-8")
    items, names = read([str(path)])
    assert items == [{"a": "1", "b": "x\ny"}, {"a": "2", "b": ""}]
    assert names == [f"{path}:2", f"{path}:5"]


def test_tables_are_read_as_the_runs_own(tmp_path):
    """Encoding, delimiter, decimal comma, missing values and names are those of the run's table."""
    form = TextTable("latin1", ";", ",", ("a", "kind", "c"), frozenset(["NA"]))
    expected = Expected(ROWS.types, ROWS.columns, form)
    (tmp_path / "t.csv").write_text("1,5;ä;NA\n2;1,5;3\n", encoding="latin1")
    assert read([str(tmp_path / "t.csv")], expected)[0] == [
        {"a": "1.5", "kind": "ä", "c": None},
        {"a": "2", "kind": "1,5", "c": "3"},
    ]
    (tmp_path / "t.csv").write_text("a;kind;c\n1;x;2\n", encoding="latin1")  # with a header after all
    assert read([str(tmp_path / "t.csv")], expected)[0] == [{"a": "1", "kind": "x", "c": "2"}]


def test_another_encoding_is_told_with_its_place(tmp_path):
    (tmp_path / "t.csv").write_bytes("a,b\n1,ä\n".encode("latin1"))
    with pytest.raises(DataError, match=r"t.csv: not UTF-8, line 2, column 3"):
        read([str(tmp_path / "t.csv")], ROWS)


def test_parquet_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), path)
    items, names = read([str(path)])
    assert items == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert names == [f"{path}:0", f"{path}:1"]


def test_json_rows(tmp_path, pipe):
    rows = [{"a": 1.5, "kind": "x"}, {"a": 2, "kind": None}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("t.json", "t.jsonl"):
        assert read([str(tmp_path / name)], ROWS)[0] == rows
        pipe((tmp_path / name).read_text())
        assert read(["-"], ROWS)[0] == rows
    (tmp_path / "t.json").write_text("[1]")
    with pytest.raises(DataError, match=r"t.json:0: a JSON int where an object is expected"):
        read([str(tmp_path / "t.json")], ROWS)


def test_arrays_by_name(tmp_path):
    numbers = np.arange(6).reshape(3, 2)
    np.savez(tmp_path / "a.npz", x=numbers, kind=np.array(["p", "q", "r"]))
    items, names = read([str(tmp_path / "a.npz")], ROWS)
    assert [item["x"].tolist() for item in items] == numbers.tolist() and items[2]["kind"] == "r"
    assert names == [f"{tmp_path / 'a.npz'}:{row}" for row in range(3)]
    np.save(tmp_path / "other.npy", numbers)
    alone = Expected({"x": "number"}, {"x": ("x",)})
    assert [item["x"].tolist() for item in read([str(tmp_path / "other.npy")], alone)[0]] == numbers.tolist()


def test_pictures_beside_a_table(folder, tmp_path):
    (folder / "photos" / "index.csv").write_text("image\na.jpg\nmore/c.jpg\n")
    assert [item["image"] for item in read(["photos/index.csv"])[0]] == ["photos/a.jpg", "photos/more/c.jpg"]


def test_paths_from_a_pipe(folder, pipe):
    pipe("photos/b.jpg\n\nphotos/a.jpg\n")
    assert read(["-"])[0] == ["photos/b.jpg", "photos/a.jpg"]


def test_rows_from_a_pipe(pipe):
    pipe("a,b\n1,2\n")
    assert read(["-"], ROWS) == ([{"a": "1", "b": "2"}], ["stdin:2"])
    pipe("image,note\nx.jpg,y\n")
    assert read(["-"])[0] == [{"image": "x.jpg", "note": "y"}]


def test_a_picture_from_a_pipe(pipe):
    data = b"\xff\xd8\xff\xe0\r\rnot whole"
    pipe(data)
    assert read(["-"]) == ([data], ["stdin"])
    pipe(data)
    with pytest.raises(DataError, match="standard input is neither a list of paths nor CSV/JSON") as error:
        read(["-"], ROWS)
    assert error.value.why == "it is a JPEG picture, and the run takes x (number), kind (category)"
    pipe(b"\xfe\xed\r\x00")
    with pytest.raises(DataError, match="standard input is neither a list of paths nor CSV/JSON"):
        read(["-"])


@pytest.mark.parametrize(
    ("expected", "text", "message"),
    [
        (PICTURES, "", "nothing came through the pipe"),
        (PICTURES, "no/such.jpg\n", "there is no such file"),
        (PICTURES, "no\nsuch\n", "no: there is no such file (line 1 of standard input)"),
        (PICTURES, "photos/a.jpg\nno, such.jpg\n", "no, such.jpg: there is no such file (line 2"),
        (ROWS, "no-such\n", "no-such: there is no such file"),
        (ROWS, "a,b\n", "the table has no rows"),
        (ROWS, "a,b\n1,2\n1\n", "stdin:3: the row has not as many fields"),
        (ROWS, "a,b\n1,2,3\n", "stdin:2: the row has not as many fields"),
        (ROWS, "a,a\n1,2\n", "column 'a' is there twice"),
        (ROWS, '{"a": 1}\n{', "it is no JSON"),
    ],
)
def test_faults_of_a_pipe(folder, pipe, expected, text, message):
    pipe(text)
    with pytest.raises(DataError) as caught:
        read(["-"], expected)
    assert message in str(caught.value)


def test_missing_file_and_empty_folder(tmp_path):
    with pytest.raises(DataError, match="no such file") as error:
        read([str(tmp_path / "x.jpg")])
    assert error.value.fix == "check the path"
    with pytest.raises(DataError, match="no such file") as error:
        read([str(tmp_path / "*.jpg")])
    assert error.value.fix == "nothing matches the pattern; check it"
    with pytest.raises(DataError, match="holds no image files") as error:
        read([str(tmp_path)])
    assert error.value.why == "it is empty"
    (tmp_path / "x.jpg").touch()
    with pytest.raises(DataError, match=r"a \.jpg holds no rows"):
        read([str(tmp_path / "x.jpg")], ROWS)
