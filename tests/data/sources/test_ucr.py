"""`.ts` files: counts of real ones, values against a slow reading, and every kind of faulty line."""

import numpy as np
import pytest

from trainwright.data.sources.ts_file import read_ts
from trainwright.data.sources.ucr import UcrSource
from trainwright.errors import DataError

HEADER = "# made by hand\n@problemName P\n@timeStamps false\n@classLabel true a b\n"


def write(folder, text, name="P_TRAIN.ts"):
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("name", "train", "test", "classes", "channels", "lengths"),
    [
        ("GunPoint", 50, 150, 2, 1, {150}),
        ("ItalyPowerDemand", 67, 1029, 2, 1, {24}),
        ("ArrowHead", 36, 175, 3, 1, {251}),
        ("BasicMotions", 40, 40, 4, 6, {100}),
        ("JapaneseVowels", 270, 370, 9, 12, set(range(7, 30))),
    ],
)
def test_counts_of_the_archive(shared_data, name, train, test, classes, channels, lengths):
    source = UcrSource(path=str(shared_data / "timeseries" / name))
    splits = source.splits()
    assert {split: len(rows) for split, rows in splits.items()} == {"train": train, "test": test}
    assert len(set(source.column("label"))) == classes
    series = source.column("series")
    assert {item.shape[1] for item in series} == {channels}
    assert {len(item) for item in series} <= lengths
    assert (source.faults, source.notices) == ([], [])


def test_values_are_those_of_the_text(shared_data):
    path = shared_data / "timeseries" / "BasicMotions" / "BasicMotions_TEST.ts"
    last = path.read_text().splitlines()[-1].split(":")
    source = UcrSource(path=str(path.parent))
    expected = np.array([[float(value) for value in channel.split(",")] for channel in last[:-1]]).T
    np.testing.assert_array_equal(source.column("series")[-1], expected)
    assert source.column("label")[-1] == last[-1]


def test_missing_values_names_and_a_single_file(tmp_path):
    path = write(tmp_path, HEADER + "@missing false\n@data\n1,?,3:4,5,NaN:a\n\n6,7:8,9:b\n", "one.ts")
    source = UcrSource(path=str(path))
    first, second = source.column("series")
    np.testing.assert_array_equal(first, [[1, 4], [np.nan, 5], [3, np.nan]])
    assert second.tolist() == [[6, 8], [7, 9]]
    assert list(source.sample_names()) == ["one.ts:7", "one.ts:9"]
    assert source.splits() is None
    assert source.notices == [
        "1 of one.ts: series have missing values, though the header says @missing false"
    ]


def test_numbers_as_targets(tmp_path):
    write(tmp_path, "@targetLabel true\n@univariate true\n@data\n1,2:0.5\n3,4:1e3\n")
    source = UcrSource(path=str(tmp_path))
    assert source.columns == {"series": "series", "label": "number"}
    assert source.column("label").tolist() == [0.5, 1000.0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,x:a", "channel 0: 'x' is not a number"),
        ("1,2:c", "class 'c' is not among"),
        ("1,2:", "class '' is not among"),
        ("1,2:3,4:a", "2 channels where 1 are expected"),
        ("1,2,3:a", "3 values where 2 are expected"),
        ("1,inf:a", "channel 0 holds an infinite value"),
        ("1_0,2:a", "'1_0' is not a number"),
        ("(0,1),(1,2):a", "time stamps, which are not read"),
        (",:a", "'' is not a number"),
        ("a", "0 channels where 1"),
    ],
)
def test_a_faulty_line_is_named_and_the_others_are_read(tmp_path, line, reason):
    head = HEADER + "@univariate true\n@equalLength true\n@seriesLength 2\n@data\n"
    path = write(tmp_path, f"{head}1,2:a\n{line}\n3,4:b\n")
    source = UcrSource(path=str(tmp_path))
    assert len(source) == 2
    ((where, why),) = source.faults
    assert where == f"{path}:10"
    assert reason in why


def test_channels_of_unequal_length_are_a_fault(tmp_path):
    found = read_ts(write(tmp_path, HEADER + "@data\n1,2:3,4:a\n1,2:3:a\n"))
    assert found.faults == [(7, "its channels differ in length: 1, 2 values")]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("@timeStamps true\n@data\n", "time stamps, which are not read", 1),
        ("@problemName x\n@equalLength maybe\n@data\n", "cannot understand '@equalLength maybe'", 2),
        ("@dimensions -3\n@data\n", "cannot understand", 1),
        ("@dimensions\n@data\n", "cannot understand", 1),
        ("1,2,3:a\n", "neither a comment", 1),
        ("@problemName x\n", "no line @data", 1),
        ("", "no line @data", 0),
    ],
)
def test_headers_that_cannot_be_read(tmp_path, text, message, line):
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        UcrSource(path=str(tmp_path))
    assert caught.value.where == f"{path}:{line}"


def test_folders_without_or_with_several_problems(tmp_path):
    with pytest.raises(DataError, match=r"no NAME_TRAIN\.ts"):
        UcrSource(path=str(tmp_path))
    write(tmp_path, HEADER + "@data\n1:a\n", "P_TEST.ts")
    with pytest.raises(DataError, match=r"no P_TRAIN\.ts"):
        UcrSource(path=str(tmp_path))
    for name in ("P_TRAIN.ts", "Q_TRAIN.ts"):
        write(tmp_path, HEADER + "@data\n1:a\n2:b\n", name)
    with pytest.raises(DataError, match="several problems"):
        UcrSource(path=str(tmp_path))
    assert len(UcrSource(path=str(tmp_path), problem="P")) == 3


def test_splits_must_be_alike(tmp_path):
    write(tmp_path, HEADER + "@data\n1:a\n")
    write(tmp_path, HEADER + "@data\n1:2:a\n", "P_TEST.ts")
    with pytest.raises(DataError, match=r"2 channels, while P_TRAIN\.ts has 1"):
        UcrSource(path=str(tmp_path))
    write(tmp_path, "@targetLabel true\n@data\n1:2\n", "P_TEST.ts")
    with pytest.raises(DataError, match="its labels are numbers"):
        UcrSource(path=str(tmp_path))
