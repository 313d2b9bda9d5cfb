"""Series in tables: windows, forecasts and splits by hand; the shared CSV series."""

import numpy as np
import pytest

from trainwright.data.sources.series import SeriesSource
from trainwright.errors import DataError, RecipeError


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "s.csv").write_text(text)
        return str(tmp_path / "s.csv")

    return write


def counting(rows=10, **extra):
    lines = [f"{n},{10 * n},{'ab'[n >= 6]},2020-01-{n + 1:02d}" for n in range(rows)]
    return "x,y,kind,day\n" + "\n".join(lines) + "\n"


def test_windows_and_labels(table):
    source = SeriesSource(path=table(counting()), window=4, label="kind", time="day")
    assert source.columns == {"series": "series", "label": "category"}
    series = source.column("series")
    assert [piece.tolist() for piece in series] == [
        [[0, 0], [1, 10], [2, 20], [3, 30]],
        [[4, 40], [5, 50], [6, 60], [7, 70]],
    ]
    assert list(source.column("label")) == ["a", "a"]
    assert list(source.sample_names()) == ["s.csv:2", "s.csv:6"]
    for rule, label in [("last", "b"), ("center", "b")]:
        other = SeriesSource(path=table(counting()), window=4, label="kind", label_rule=rule)
        assert other.column("label")[1] == label


def test_forecasts(table):
    source = SeriesSource(path=table(counting()), values=["x"], window=3, horizon=2, gap=1)
    assert [piece.ravel().tolist() for piece in source.column("series")][:2] == [[0, 1, 2], [1, 2, 3]]
    assert source.column("future").tolist() == [[n + 4, n + 5] for n in range(5)]
    both = SeriesSource(path=table(counting()), values=["x", "y"], window=3, horizon=2)
    assert both.column("future")[0].tolist() == [3, 30, 4, 40]


def test_a_forecast_never_learns_a_value_of_another_split(table):
    source = SeriesSource(path=table(counting(30)), values=["x"], window=4, horizon=2, val=0.2, test=0.2)
    future = source.column("future")
    seen = {name: set(future[rows].ravel().tolist()) for name, rows in source.splits().items()}
    assert seen["train"] <= set(range(18)) and seen["val"] == set(range(18, 24))
    assert seen["test"] == set(range(24, 30))
    inputs = [source.column("series")[int(row)].max() for row in source.splits()["train"]]
    assert max(inputs) < 18


def test_windows_with_labels_share_no_row_between_splits(table):
    source = SeriesSource(path=table(counting(30)), window=4, stride=1, label="kind", val=0.2, test=0.2)
    rows = {
        name: {int(step) for row in found for step in source.column("series")[int(row)][:, 0]}
        for name, found in source.splits().items()
    }
    assert not rows["train"] & rows["val"] and not rows["val"] & rows["test"]
    assert not rows["train"] & rows["test"]


def test_no_window_reaches_over_two_series(table):
    text = "name,x\n" + "".join(f"{name},{n}\n" for name, count in [("p", 3), ("q", 5)] for n in range(count))
    source = SeriesSource(path=table(text), series="name", window=2, stride=1)
    assert [piece.ravel().tolist() for piece in source.column("series")] == [
        [0, 1], [1, 2], [0, 1], [1, 2], [2, 3], [3, 4],
    ]  # fmt: skip
    whole = SeriesSource(path=table(text), series="name")
    assert [len(piece) for piece in whole.column("series")] == [3, 5]
    with pytest.raises(DataError, match="'p' do not lie together"):
        SeriesSource(path=table(text + "p,7\n"), series="name", window=2)


def test_gaps_are_nan_and_texts_no_channel(table):
    source = SeriesSource(path=table("x,word\n1,a\n,b\n3,c\n"), window=3)
    np.testing.assert_array_equal(source.column("series")[0].ravel(), [1, np.nan, 3])
    with pytest.raises(DataError, match="column 'word' holds texts"):
        SeriesSource(path=table("x,word\n1,a\n"), values=["word"], window=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"horizon": 2}, RecipeError, "need a window"),
        ({"window": 4, "val": 0.5, "test": 0.5}, RecipeError, "nothing to train on"),
        ({"window": 40}, DataError, "no series has the 40 steps"),
        ({"window": 4, "label": "kine"}, DataError, "no column 'kine'"),
    ],
)
def test_what_cannot_be_asked_for(table, options, error, message):
    with pytest.raises(error, match=message):
        SeriesSource(path=table(counting()), **options)


def test_rows_out_of_order_are_named(table):
    text = counting(4).replace("2020-01-03", "2019-01-03")
    with pytest.raises(DataError, match=r"2019-01-03.* does not come after") as caught:
        SeriesSource(path=table(text), time="day", window=2)
    assert caught.value.where == "s.csv:4, column day"


def test_the_shared_series(shared_data):
    folder = shared_data / "timeseries"
    airline = SeriesSource(path=str(folder / "Airline" / "Airline.csv"), window=12, horizon=1, time="Date")
    assert (len(airline), airline.column("series")[0][0, 0]) == (144 - 12, 112)
    heart = SeriesSource(path=str(folder / "mitdb" / "mitdb.csv"), window=100, label="label")
    assert (len(heart), sum(heart.column("label"))) == (75, 4)
    assert len(SeriesSource(path=str(folder / "solar" / "solar.csv"), window=48)) == 289 // 48
