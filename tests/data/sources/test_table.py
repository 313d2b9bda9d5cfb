"""Tables: typed columns, line numbers, filters, image paths, in CSV, TSV and Parquet."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.sources.table import TableSource
from trainwright.errors import DataError, RecipeError


@pytest.fixture
def write(tmp_path):
    def make(text: str, name: str = "t.csv") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return make


def test_columns_are_typed(write):
    path = write("n,x,word,flag,id\n1,1.5,a,true,100\n2,,b,false,101\n3,2.5,,true,102\n")
    source = TableSource(path=path)
    assert source.columns == {
        "n": "category",
        "x": "number",
        "word": "category",
        "flag": "category",
        "id": "category",
    }
    assert np.asarray(source.column("n")).tolist() == [1, 2, 3]
    np.testing.assert_array_equal(source.column("x"), [1.5, np.nan, 2.5])
    assert list(source.column("word")) == ["a", "b", None]
    assert list(source.column("flag")) == [True, False, True]
    assert list(source.sample_names()) == ["t.csv:2", "t.csv:3", "t.csv:4"]


def test_integers_with_gaps_stay_whole_numbers(write):
    source = TableSource(path=write("n,m\n1,1\n,2\n300,3\n"))
    np.testing.assert_array_equal(source.column("n"), [1, np.nan, 300])


def test_line_numbers_across_blank_lines_faults_filters_and_line_breaks(write):
    path = write('a,b\n1,x\n\n2\n3,"two\nlines"\r\n4,y\n5,z,w\n6,z\n')
    source = TableSource(path=path, row_filter="a != 4")
    assert np.asarray(source.column("a")).tolist() == [1, 3, 6]
    assert list(source.sample_names()) == ["t.csv:2", "t.csv:5", "t.csv:9"]
    assert [(Path(name).name, why) for name, why in source.faults] == [
        ("t.csv:4", "1 fields where 2 are expected"),
        ("t.csv:8", "3 fields where 2 are expected"),
    ]
    assert source.notices == ["row_filter keeps 3 of 4 rows"]


@pytest.mark.parametrize("value", ['"x', '"x,1', '"x""'], ids=["last", "inside", "doubled"])
def test_a_quote_that_is_never_closed_is_no_value_with_the_rest_of_the_table(write, value):
    text = 'a,b\n1,"two\nlines"\n2,' + value + "\n3,y\n4,z\n"
    with pytest.raises(DataError, match="line 4: a quote is opened here") as error:
        TableSource(path=write(text))
    assert "2 lines after it" in error.value.why
    assert len(TableSource(path=write(text.replace(value, "x")))) == 4
    assert len(TableSource(path=write('a,b\n1,5" pipe\n2,"y'))) == 2  # nothing follows that could be lost


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from(["row", "blank", "short"]), min_size=1, max_size=30).filter(
        lambda kinds: "row" in kinds
    ),
    st.booleans(),
    st.integers(0, 2),
    st.booleans(),
)
def test_every_row_knows_its_line(tmp_path_factory, kinds, header, skipped, windows):
    lines = [f"skip {number},," for number in range(skipped)] + (["a,b"] if header else [])
    expected = []
    if not header:
        lines.append("0,0")
        expected.append(len(lines))
    for kind in kinds:
        lines.append({"row": f"{len(lines) + 1},1", "blank": "", "short": "7"}[kind])
        if kind == "row":
            expected.append(len(lines))
    path = tmp_path_factory.mktemp("lines") / "t.csv"
    end = "\r\n" if windows else "\n"
    path.write_bytes((end.join(lines) + end).encode())
    source = TableSource(path=str(path), header=header, skip_lines=skipped)
    assert [int(name.split(":")[1]) for name in source.sample_names()] == expected
    assert len(source.faults) == kinds.count("short")


def test_tsv_parquet_and_csv_agree(write, tmp_path):
    frame = pd.DataFrame({"x": [1.5, np.nan, -2.0], "n": [3, 4, 5], "w": ["a", None, "c"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.tsv", "t.parquet"):
        source = TableSource(path=str(tmp_path / name))
        np.testing.assert_array_equal(source.column("x"), frame["x"])
        assert np.asarray(source.column("n")).tolist() == [3, 4, 5]
        assert list(source.column("w")) == ["a", None, "c"]
    assert TableSource(path=str(tmp_path / "t.parquet")).sample_names()[1] == "t.parquet:1"


def test_header_names_and_delimiter(write):
    path = write("# made by hand\n1;2\n3;4\n")
    source = TableSource(path=path, delimiter=";", header=False, skip_lines=1, names=["a", "b"])
    assert np.asarray(source.column("b")).tolist() == [2, 4]
    renamed = TableSource(path=write("x,y\n1,2\n", "r.csv"), names=["a", "b"])
    assert list(renamed.columns) == ["a", "b"] and renamed.sample_names()[0] == "r.csv:2"


FRAME = pd.DataFrame(
    {"n": [1, 2, 3, 4], "x": [0.5, np.nan, 2.5, 3.5], "w": ["a", "b", None, "d"], "two words": [1, 0, 1, 0]}
)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("n >= 2", FRAME.n >= 2),
        ("x > 1", FRAME.x > 1),
        ("not x > 1", ~(FRAME.x > 1)),
        ("x is None", FRAME.x.isna()),
        ("w is not None and n != 4", FRAME.w.notna() & (FRAME.n != 4)),
        ("w == 'a' or w == \"d\"", FRAME.w.isin(["a", "d"])),
        ("w != 'a'", FRAME.w.notna() & (FRAME.w != "a")),
        ("w in ['a', 'b']", FRAME.w.isin(["a", "b"])),
        ("w not in ['a', 'b']", FRAME.w.notna() & ~FRAME.w.isin(["a", "b"])),
        ("1 < n <= 3", (FRAME.n > 1) & (FRAME.n <= 3)),
        ("n > x", FRAME.n > FRAME.x),
        ("col('two words') == 1 and (n == 1 or n == 3)", FRAME["two words"] == 1),
        ("n >= -1", FRAME.n >= -1),
    ],
)
def test_row_filters_agree_with_pandas(tmp_path, condition, kept):
    FRAME.to_parquet(tmp_path / "t.parquet")
    source = TableSource(path=str(tmp_path / "t.parquet"), row_filter=condition)
    assert np.asarray(source.column("n")).tolist() == FRAME.n[kept].tolist()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("n >=", "is not a condition"),
        ("m > 1", "no column 'm'"),
        ("__import__('os').system('true')", "cannot be part of a row filter"),
        ("n > 1; n", "is not a condition"),
        ("w > 1", "cannot be compared"),
        ("n", "neither true nor false"),
        ("n in w", "cannot be part"),
        ("[x for x in n] == 1", "cannot be part"),
    ],
)
def test_row_filters_that_are_refused(tmp_path, condition, message):
    FRAME.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(RecipeError, match=message) as error:
        TableSource(path=str(tmp_path / "t.parquet"), row_filter=condition)
    assert error.value.where == "data.source.row_filter"


def test_image_columns_are_found_and_relative_to_the_table(write, tmp_path):
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "1.png").write_bytes(b"one")
    source = TableSource(path=write("picture,y\npics/1.png,a\npics/2.png,b\n,c\n"))
    assert source.columns["picture"] == "image"
    assert source.slow_columns == ["picture"]
    files = source.column("picture")
    assert files[0].read() == b"one"
    assert files[2] is None
    assert source.files() == [tmp_path / "t.csv", tmp_path / "pics" / "1.png"]
    elsewhere = TableSource(path=write("p,y\n1.png,a\n", "u.csv"), image_root=str(tmp_path / "pics"))
    assert elsewhere.column("p")[0].read() == b"one"


def test_a_split_column(write):
    source = TableSource(path=write("x,s\n1,train\n2,Valid\n3,test\n4,train\n"), split_column="s")
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {
        "train": [0, 3],
        "val": [1],
        "test": [2],
    }
    with pytest.raises(DataError, match="'tset' names no split") as error:
        TableSource(path=write("x,s\n1,train\n2,tset\n"), split_column="s").splits()
    assert "t.csv:3" in error.value.where


@pytest.mark.parametrize("encoding", ["latin1", "utf-16", "utf-8-sig", "utf-8"])
def test_encodings(tmp_path, encoding):
    """Every encoding gives the same table, in memory and in blocks."""
    text = "größe,art\n1,ä\n2,ß\n"
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    source = TableSource(path=str(tmp_path / "t.csv"), encoding=encoding)
    assert list(source.columns) == ["größe", "art"]
    assert list(source.column("art")) == ["ä", "ß"]
    assert list(source.sample_names()) == ["t.csv:2", "t.csv:3"]


def test_another_encoding_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("trainwright.data.tables.block.WHOLE_BYTES", 100)
    monkeypatch.setattr("trainwright.data.tables.block.BLOCK_BYTES", 40)
    monkeypatch.setenv("TRAINWRIGHT_CACHE", str(tmp_path / "cache"))
    rows = [f"{number},straße {number}" for number in range(50)]
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(rows) + "\n", encoding="latin1")
    source = TableSource(path=str(tmp_path / "t.csv"), encoding="latin1")
    assert list(source.column("y")) == [f"straße {number}" for number in range(50)]
    assert source.sample_names()[37] == "t.csv:39"


def test_a_decimal_comma(write):
    source = TableSource(path=write("a;b\n1,5;x\n-2;y\n"), delimiter=";", decimal=",")
    assert source.column("a").tolist() == [1.5, -2.0]
    assert source.columns == {"a": "number", "b": "category"}


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "cannot be read"),
        ("a;b\n1;2\n", {}, "t.csv: one column only, 'a;b': is the delimiter ';'"),
        ("a,b\n1,2\n", {"decimal": ","}, "both the delimiter and before the fraction"),
        ("a,b\n1,2\n", {"encoding": "klingon"}, "is no encoding of text"),
        ("a,b\n", {}, "no rows"),
        ("a,a\n1,2\n", {}, "is there twice"),
        ("a,b\n1,2\n", {"split_column": "c"}, "no column 'c'"),
        ("a,b\n1,2\n", {"row_filter": "a > 5"}, "filter `a > 5` keeps none of 1 rows"),
    ],
)
def test_tables_that_are_refused(write, text, options, message):
    with pytest.raises(DataError, match=message):
        TableSource(path=write(text), **options)


def test_a_parquet_file_that_is_none(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="Parquet file cannot be read"):
        TableSource(path=str(tmp_path / "t.parquet"))


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [("tabular/iris.csv", 150, 5), ("tabular/penguins.csv", 344, 7), ("tabular/mpg.csv", 398, 9)],
)
def test_real_tables_agree_with_pandas(shared_data, name, rows, columns):
    source, frame = TableSource(path=str(shared_data / name)), pd.read_csv(shared_data / name)
    assert (len(source), len(source.columns)) == (rows, columns) == frame.shape
    for column in source.columns:
        values = pd.Series(source.column(column))
        assert values.isna().tolist() == frame[column].isna().tolist()
        assert values.dropna().tolist() == frame[column].dropna().tolist()


def test_tables_beside_each_other_are_one(tmp_path):
    (tmp_path / "a.csv").write_text("flux,z\n1.5,0.1\n2.5,0.2\n")
    (tmp_path / "b.csv").write_text("error\n0.5\n0.25\n")
    source = TableSource(path=str(tmp_path / "a.csv"), beside=["b.csv"])
    assert list(source.columns) == ["flux", "z", "error"]
    np.testing.assert_array_equal(source.column("error"), [0.5, 0.25])
    assert [path.name for path in source.files()] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("error\n0.5\n", "it has 1 rows, a.csv has 2"),
        ("flux\n0.5\n1\n", "two tables: flux"),
        ("error,more\n0.5,1\n1\n", "unmatched"),
    ],
)
def test_tables_whose_rows_do_not_match_are_refused(tmp_path, text, problem):
    (tmp_path / "a.csv").write_text("flux,z\n1.5,0.1\n2.5,0.2\n")
    (tmp_path / "b.csv").write_text(text)
    with pytest.raises(DataError, match=problem):
        TableSource(path=str(tmp_path / "a.csv"), beside=["b.csv"])


@pytest.mark.parametrize(
    ("text", "options", "advised"),
    [
        ("3,cat\n9,dog\n", {}, True),
        ("weight,species\n9,dog\n", {}, False),
        ("3,cat\n9,dog\n", {"header": False}, False),
        ("3,cat\n9,dog\n", {"names": ["weight", "species"]}, False),
    ],
)
def test_a_first_line_of_numbers_is_suspected_to_be_a_row(write, text, options, advised):
    assert ("header: false" in TableSource(path=write(text), **options).advice) is advised
