"""Every bad row of a table is told by its line, at once."""

import pytest

from trainwright.data.tables import block
from trainwright.errors import TrainwrightError

INPUTS = {"x": {"type": "number", "columns": ["sepal_length", "sepal_width"]}}
TARGETS = {"species": {"type": "category"}}


@pytest.mark.parametrize("pieces", [False, True])
def test_the_ragged_table(shared_data, make_data, prepared, monkeypatch, pieces):
    if pieces:
        monkeypatch.setattr(block, "WHOLE_BYTES", 40)
        monkeypatch.setattr(block, "BLOCK_BYTES", 40)
    source = {"name": "table", "path": str(shared_data / "bad" / "ragged.csv")}
    data = make_data(source, INPUTS, TARGETS, split={"val": 0.5})
    with pytest.raises(TrainwrightError) as error:
        prepared(data)
    text = str(error.value)
    expected = {
        3: "sepal_width is missing",
        4: "'abc' is not a number",
        5: "2 fields where 3 are expected",
        6: "4 fields where 3 are expected",
        7: "sepal_length is missing or NaN",
    }
    for line, reason in expected.items():
        assert any(f"ragged.csv:{line}" in row and reason in row for row in text.splitlines()), line
    assert "ragged.csv:2" not in text


def test_bad_rows_of_a_long_table_are_left_out_and_counted(tmp_path, make_data, prepared, monkeypatch):
    monkeypatch.setattr(block, "WHOLE_BYTES", 100)
    monkeypatch.setattr(block, "BLOCK_BYTES", 200)
    lines = [f"{number}.5,{'ab'[number % 2]}" for number in range(300)]
    lines[40], lines[200], lines[201] = "none,a", "7", ",b"
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,y", *lines]) + "\n")
    data = make_data(
        {"name": "table", "path": str(path)},
        {"x": {"type": "number"}},
        {"y": {"type": "category"}},
        split={"val": 0.1},
        on_bad={"policy": "skip", "limit": 0.05},
        fit_rows=50,
    )
    result = prepared(data)
    assert {item.name.rsplit(":")[-1] for item in result.dropped} == {"42", "202", "203"}
    assert sum(map(len, result.splits.values())) == 297
    assert any("fitted on 50 of" in notice for notice in result.notices)
    rows = result.splits["train"]
    values = result.inputs["x"].decode(result.arrays["x"][rows])[:, 0]
    line = [int(name.rsplit(":")[1]) for name in (result.names[row] for row in rows)]
    assert values == pytest.approx([number - 2 + 0.5 for number in line], rel=1e-5)
    assert [result.targets["y"].decode(value) for value in result.arrays["y"][rows]] == [
        "ab"[number % 2] for number in line
    ]
