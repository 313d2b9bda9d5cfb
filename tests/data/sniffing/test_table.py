"""Tables, as `init` takes them: what is input, what is target, what is left out."""

import pytest

from trainwright.data.sniffing import sniff
from trainwright.errors import DataError


def test_table_columns_are_sorted_into_inputs_and_target(tmp_path):
    rows = [f"{n},{n * 1.5},{'ab'[n % 2]},same,text {n},{n % 3},{n % 2}" for n in range(100)]
    (tmp_path / "t.csv").write_text(
        "row,size,kind,constant,free,label,more or less\n" + "\n".join(rows) + "\n"
    )
    guess = sniff(tmp_path / "t.csv")
    assert guess.targets == {"label": {"type": "category"}}
    assert guess.inputs == {
        "features": {"type": "number", "columns": ["size", "more or less"]},
        "kind": {"type": "category"},
    }
    notes = " | ".join(guess.notes)
    assert "'row' is left out: it counts the rows" in notes
    assert "'constant' is left out: it has one value only" in notes
    assert "'free' is left out: 100 different texts" in notes


def test_sentences_of_a_small_table_are_no_classes(tmp_path):
    rows = [f"note {n},{'abcdefghijkl'[n % 12]},{n * 0.5},{n % 2}" for n in range(40)]
    (tmp_path / "t.csv").write_text("note,kind,size,label\n" + "\n".join(rows) + "\n")
    guess = sniff(tmp_path / "t.csv")
    assert set(guess.inputs) == {"features", "kind"}
    assert "column 'note' is left out: 40 different texts" in guess.notes


def test_targets_with_gaps_odd_names_and_numbers(tmp_path):
    rows = [f"{n % 7},{'' if n % 10 == 0 else n + 0.5}" for n in range(60)]
    (tmp_path / "t.csv").write_text("x,the price\n" + "\n".join(rows) + "\n")
    guess = sniff(tmp_path / "t.csv")
    assert guess.targets == {"target": {"type": "number", "column": "the price"}}
    assert guess.source["row_filter"] == "col('the price') is not None"
    assert guess.size == 54


def test_a_table_of_pictures(tmp_path, make_picture):
    for number in range(4):
        make_picture(20, 30, number).save(tmp_path / f"{number}.png")
    (tmp_path / "index.csv").write_text("file,kind\n" + "".join(f"{n}.png,{'ab'[n % 2]}\n" for n in range(4)))
    guess = sniff(tmp_path)
    assert guess.source == {"name": "table", "path": str(tmp_path / "index.csv")}
    assert guess.inputs == {"file": {"type": "image", "size": [20, 30]}}


def test_semicolons_and_decimal_commas(tmp_path):
    (tmp_path / "t.csv").write_text("size;kind\n" + "".join(f"{n},5;{'ab'[n % 2]}\n" for n in range(30)))
    guess = sniff(tmp_path / "t.csv")
    assert guess.source["delimiter"] == ";" and guess.source["decimal"] == ","
    assert guess.inputs == {"features": {"type": "number", "columns": ["size"]}}
    assert "numbers have a decimal comma" in guess.notes


def test_a_table_without_a_header(tmp_path):
    (tmp_path / "t.csv").write_text("".join(f"{n * 1.5},{n % 7}.5,{n % 3}\n" for n in range(1, 40)))
    guess = sniff(tmp_path / "t.csv")
    assert guess.size == 39
    assert guess.source["header"] is False and guess.source["names"] == ["column_1", "column_2", "column_3"]
    assert guess.targets == {"column_3": {"type": "category"}}


@pytest.mark.parametrize("dates", ["2024-01-{:02}", "{:02}.01.2024", "2024-01-{:02} 10:00:00"])
def test_dates_are_said_not_to_be_used(tmp_path, dates):
    rows = [f"{dates.format(n)},{n % 5 + 0.5},{n % 2}" for n in range(1, 29)]
    (tmp_path / "t.csv").write_text("day,x,label\n" + "\n".join(rows) + "\n")
    guess = sniff(tmp_path / "t.csv")
    assert list(guess.inputs) == ["features"]
    assert "column 'day' is left out: dates are not used" in guess.notes


def test_a_constant_target_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("x,label\n" + "".join(f"{n},same\n" for n in range(9)))
    with pytest.raises(DataError, match=r"t.csv: column 'label' is taken .* has one value only: same"):
        sniff(tmp_path / "t.csv")


def test_latin1_is_refused_with_its_place(tmp_path):
    (tmp_path / "t.csv").write_bytes("x,y\n1,a\n2,ä\n".encode("latin1"))
    with pytest.raises(DataError, match=r"t.csv: not UTF-8, line 3, column 3"):
        sniff(tmp_path / "t.csv")


def test_a_table_in_another_encoding_is_read_when_told(tmp_path):
    text = "größe;kind\n" + "".join(f"{row},5;{'süß' if row % 2 else 'herb'}\n" for row in range(30))
    (tmp_path / "t.csv").write_bytes(text.encode("latin1"))
    guess = sniff(tmp_path / "t.csv", "latin1")
    assert guess.source["encoding"] == "latin1"
    assert (guess.source["delimiter"], guess.source["decimal"]) == (";", ",")
    assert list(guess.inputs) == ["numbers"] or "größe" in str(guess.inputs)
    assert list(guess.targets) == ["kind"]
    with pytest.raises(DataError):
        sniff(tmp_path / "t.csv")
    with pytest.raises(DataError, match="latin99"):
        sniff(tmp_path / "t.csv", "latin99")
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="only text tables have an encoding"):
        sniff(tmp_path / "photos", "latin1")
