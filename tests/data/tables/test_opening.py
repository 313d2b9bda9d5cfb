"""A table in blocks is the table that is read whole: values, types, lines, faults, filters."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.blocks import BlockValues
from trainwright.data.processors.category import factorise
from trainwright.data.sources.table import TableSource
from trainwright.data.tables import block
from trainwright.errors import DataError


@pytest.fixture
def small_blocks(monkeypatch):
    """Tables of more than 100 bytes are read in pieces of 64."""
    monkeypatch.setattr(block, "WHOLE_BYTES", 100)
    monkeypatch.setattr(block, "BLOCK_BYTES", 64)


def labels(values) -> list[str | None]:
    names, places = factorise(values)
    return [names[place] for place in places]


def same(left: TableSource, right: TableSource) -> None:
    assert len(left) == len(right) and left.columns == right.columns
    assert left.notices == right.notices and left.faults == right.faults
    assert list(left.sample_names()) == list(right.sample_names())
    for name in left.columns:
        assert labels(left.column(name)) == labels(right.column(name))
        assert [str(value) for value in left.column(name)] == [str(value) for value in right.column(name)]


cell = st.sampled_from(["1", "2.5", "-3", "", "NA", "word", "007", '"two\nlines"', '"with ""quotes"""', "5'"])
line = st.one_of(
    st.tuples(cell, cell, cell).map(",".join),
    st.sampled_from(["", "short", "1,2,3,4", "1,2,3"]),
)


@settings(max_examples=80)
@given(st.lists(line, min_size=8, max_size=40), st.booleans(), st.integers(0, 2))
def test_blocks_and_the_whole_agree(tmp_path_factory, lines, windows, skipped):
    end = "\r\n" if windows else "\n"
    path = tmp_path_factory.mktemp("t") / "t.csv"
    text = end.join([*["skip, me"] * skipped, "a,b,c", "1,1,x", *lines, "2,2,y"])
    path.write_bytes((text + end).encode())
    whole = TableSource(path=str(path), skip_lines=skipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "WHOLE_BYTES", 20)
        patch.setattr(block, "BLOCK_BYTES", 64)
        blocks = TableSource(path=str(path), skip_lines=skipped)
        same(blocks, whole)
        # The first and the last line have three fields, whatever lies between them.
        assert len(blocks) + len(blocks.faults) >= 2


@pytest.mark.parametrize("end", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet", "tsv"])
def test_every_format_in_blocks(tmp_path, small_blocks, end):
    frame = pd.DataFrame(
        {
            "x": np.random.default_rng(0).normal(size=200).round(3),
            "n": np.arange(200),
            "w": [["a", None, "long text"][number % 3] for number in range(200)],
        }
    )
    frame.loc[7, "x"] = np.nan
    path = tmp_path / f"t.{end}"
    if "csv" in end or end == "tsv":
        frame.to_csv(path, index=False, sep="\t" if end == "tsv" else ",")
    elif "jsonl" in end:
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    source = TableSource(path=str(path), row_filter="n != 3")
    kept = frame[frame.n != 3].reset_index(drop=True)
    assert isinstance(source.column("x"), BlockValues)
    assert source.columns == {"x": "number", "n": "number", "w": "category"}
    np.testing.assert_array_equal(np.asarray(source.column("x")), kept.x)
    assert np.asarray(source.column("n")).tolist() == kept.n.tolist()
    assert [None if w is None else w for w in source.column("w")] == [
        w if isinstance(w, str) else None for w in kept.w
    ]
    first = {"parquet": 0, "jsonl": 1, "jsonl.gz": 1}.get(end, 2)
    assert [int(name.rsplit(":")[1]) - first for name in source.sample_names()] == kept.n.tolist()
    assert source.column("x")[np.array([150, 2])].tolist() == kept.x[[150, 2]].tolist()


def test_a_parsed_table_is_found_again_and_a_changed_one_is_not(tmp_path, small_blocks, monkeypatch):
    import os

    from trainwright.data.sources import table

    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 100)
    os.utime(path, (1, 1))
    TableSource(path=str(path))
    calls = []
    reader = table.CsvReader
    monkeypatch.setattr(table, "CsvReader", lambda *options: calls.append(1) or Unreadable(reader(*options)))
    assert len(TableSource(path=str(path))) == 100
    path.write_text("a,b\n" + "1,2\n" * 101)
    with pytest.raises(AssertionError, match="read again"):
        TableSource(path=str(path))


class Unreadable:
    def __init__(self, reader) -> None:
        self.lines = reader.lines

    def blocks(self):
        raise AssertionError("read again")
        yield


def test_json_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    rows = ['{"a": 1, "t": "x", "v": [1, 2]}', "", '{"a": "two", "t": "NA", "v": [3, 4]}', "{no", "[1]"]
    path.write_text("\n".join([*rows, '{"t": "y", "v": [5, 6.5]}']))
    source = TableSource(path=str(path))
    assert list(source.column("a")) == ["1", "two", None]
    assert list(source.column("t")) == ["x", None, "y"]
    np.testing.assert_array_equal(source.column("v"), [[1, 2], [3, 4], [5, 6.5]])
    assert [name.rsplit(":")[1] for name in source.sample_names()] == ["1", "3", "6"]
    assert [(Path(name).name, reason.split(":")[0]) for name, reason in source.faults] == [
        ("t.jsonl:4", "no JSON"),
        ("t.jsonl:5", "a JSON list where an object is expected"),
    ]


def test_pretty_printed_json_is_no_json_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({"a": 1}, indent=1) + "\n" + '{"a": 2}\n')
    source = TableSource(path=str(path))
    assert np.asarray(source.column("a")).tolist() == [2] and len(source.faults) == 3


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbf"a",b\n1,2\n')
    assert list(TableSource(path=str(tmp_path / "t.csv")).columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "message", "where"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16", "t.csv"),
        (b"a,b\n1,x\n2,caf\xe9\n", "not UTF-8, line 3, column 6\n", "t.csv"),
        (b"a,gr\xf6\xdfe\n1,2\n", "not UTF-8, line 1, column 5\n", "t.csv"),
    ],
)
def test_other_encodings_are_told(tmp_path, data, message, where):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(DataError, match=message) as error:
        TableSource(path=str(tmp_path / "t.csv"))
    assert error.value.where.endswith(where) and "encoding" in error.value.fix


def test_a_quote_that_is_never_closed(tmp_path, small_blocks, monkeypatch):
    from trainwright.data.tables import text_blocks

    monkeypatch.setattr(text_blocks, "LARGEST_RECORD", 1000)
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 100 + '3,"4\n' + "5,6\n" * 1000)
    with pytest.raises(DataError, match="a record of more than") as error:
        TableSource(path=str(tmp_path / "t.csv"))
    assert "never closed" in error.value.fix


def test_a_damaged_archive(tmp_path):
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    (tmp_path / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        TableSource(path=str(tmp_path / "t.csv.gz"))


def test_a_cache_that_cannot_be_written(tmp_path, small_blocks, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRAINWRIGHT_CACHE", str(tmp_path / "file"))
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 100)
    with pytest.raises(DataError, match="blocks cannot be kept") as error:
        TableSource(path=str(tmp_path / "t.csv"))
    assert "TRAINWRIGHT_CACHE" in error.value.fix
