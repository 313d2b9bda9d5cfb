"""Tables, as `init` takes them: what is input, what is target, what is left out."""

from trainwright.data.sniffing import sniff


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
