from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainwright.errors import RunError, UserError
from trainwright.inference.predictions import (
    Predictions,
    read_predictions,
    render_answers,
    write_answers,
    write_predictions,
)
from trainwright.inference.vector_columns import categories_columns, category_columns, number_columns

CLASSES = {"label": ("cat", 'do"g,')}


@pytest.fixture
def columns():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [np.nan, np.nan]], dtype=np.float32)
    return {
        "sample": ["a.png", "b\nc.png", "<é>"],
        "row": np.array([4, 0, 7]),
        **category_columns(
            "label",
            CLASSES["label"],
            probabilities,
            true=np.array([0, 0, -1]),
            loss=np.array([0.1, 1.2, np.nan]),
        ),
        **number_columns("age", np.array([[1.5], [2.5], [np.inf]]), true=np.array([1.0, 2.0, 3.0])),
        **number_columns("pose", np.arange(6, dtype=np.float32).reshape(3, 2) / 10),
    }


def test_category_columns_name_the_classes(columns):
    assert columns["label"] == ["cat", "cat", None]
    assert columns["label_predicted"] == ["cat", 'do"g,', None]
    assert columns["label_probability"][:2].tolist() == pytest.approx([0.9, 0.7])


def test_parquet_round_trip(tmp_path, columns):
    write_predictions(tmp_path / "p.parquet", columns, classes=CLASSES)
    back = read_predictions(tmp_path / "p.parquet")
    assert back.classes == CLASSES
    assert list(back.columns) == list(columns)
    for name, values in columns.items():
        if isinstance(values, list):
            assert back.columns[name] == values
        else:
            np.testing.assert_array_equal(back.columns[name], values)
            assert back.columns[name].dtype == values.dtype
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "p.parquet")}
    assert types["label_probabilities"].startswith("list<")
    assert types["age_predicted"] == "double"


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(2, 4)), elements=st.floats(width=32))
)
def test_floats_survive_every_format(values):
    table = {"sample": [str(row) for row in range(len(values))], "x_predicted": values}
    records = json.loads(render_answers(table, "json"))
    lines = [json.loads(line) for line in render_answers(table, "jsonl").decode().splitlines()]
    rows = list(csv.DictReader(io.StringIO(render_answers(table, "csv").decode())))
    assert records == lines
    for value, record, row in zip(values, records, rows, strict=True):
        for place, number in enumerate(value):
            got = record["x_predicted"][place]
            if np.isfinite(number):
                assert np.float32(got) == number
                assert np.float32(row[f"x_predicted.{place}"]) == number
            else:
                assert got is None
                assert row[f"x_predicted.{place}"] == ""


def test_csv_and_json_carry_class_names(columns):
    rows = list(csv.DictReader(io.StringIO(render_answers(columns, "csv", classes=CLASSES).decode())))
    assert [row["sample"] for row in rows] == columns["sample"]
    assert rows[1]['label_probabilities.do"g,'] == "0.7"
    assert rows[2]["label_predicted"] == ""
    records = json.loads(render_answers(columns, "json", classes=CLASSES))
    assert records[0]["label_probabilities"] == {"cat": 0.9, 'do"g,': 0.1}
    assert records[1]["pose_predicted"] == [0.2, 0.3]
    assert records[2]["age_predicted"] is None


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "parquet"])
def test_the_suffix_tells_the_format(tmp_path, columns, format):
    write_answers(columns, tmp_path / f"out.{format.upper()}", classes=CLASSES)
    written = (tmp_path / f"out.{format.upper()}").read_bytes()
    assert written == render_answers(columns, format, classes=CLASSES)


def test_an_unknown_suffix_is_refused(columns):
    with pytest.raises(UserError, match=r"end the name in \.parquet"):
        write_answers(columns, "out.parquett")


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_standard_output_gets_the_bytes_alone(format):
    code = (
        "from trainwright.inference.predictions import write_answers\n"
        f"write_answers({{'sample': ['a', 'b'], 'n': [1, 2]}}, format={format!r})\n"
        "import sys; assert not {'torch', 'pandas'} & set(sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    if format == "csv":
        assert out == b"sample,n\na,1\nb,2\n"
    else:
        assert pq.read_table(io.BytesIO(out)).to_pydict() == {"sample": ["a", "b"], "n": [1, 2]}


def test_a_damaged_file_is_one_readable_error(tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(RunError, match="predictions cannot be read"):
        read_predictions(tmp_path / "p.parquet")
    with pytest.raises(RunError, match="evaluate the run again"):
        read_predictions(tmp_path / "absent.parquet")


def test_several_classes_per_sample_are_lists_of_names(tmp_path):
    probabilities = np.array([[0.9, 0.6], [0.2, 0.1], [np.nan, 0.5]])
    true = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    told = categories_columns("tags", ("old", "tall"), probabilities, true=true)
    table = {"sample": ["a", "b", "c"], **told}
    assert table["tags"] == [["old"], [], ["tall"]]
    assert table["tags_predicted"] == [["old", "tall"], [], None]
    write_predictions(tmp_path / "p.parquet", table, classes={"tags": ("old", "tall")})
    read = read_predictions(tmp_path / "p.parquet")
    assert (read["tags"], read["tags_predicted"]) == (table["tags"], table["tags_predicted"])
    np.testing.assert_array_equal(read["tags_probabilities"], probabilities)
    records = json.loads(render_answers(table, "json", classes=read.classes))
    assert records[0]["tags_probabilities"] == {"old": 0.9, "tall": 0.6}
    assert records[1]["tags_predicted"] == []
    assert records[2]["tags_predicted"] is None
    rows = list(csv.DictReader(io.StringIO(render_answers(table, "csv", classes=read.classes).decode())))
    assert rows[0]["tags_predicted"] == '["old", "tall"]'
    assert rows[0]["tags_probabilities.tall"] == "0.6"


def test_objects_of_a_low_score_are_left_out_of_the_answers():
    found = [[{"class": "a", "score": 0.2}, {"class": "b", "score": 0.7}, {"class": "c"}], None, []]
    answers = Predictions({"sample": ["1", "2", "3"], "objects_predicted": found}, {})
    answers.leave_out_below(0.5)
    told = [[item["class"] for item in items or ()] for items in answers["objects_predicted"]]
    assert told == [["b", "c"], [], []] and answers["objects_predicted"][1] is None
