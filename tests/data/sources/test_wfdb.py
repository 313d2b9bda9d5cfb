"""WFDB records against the wfdb package, windows and labels by hand, damaged and hostile headers."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.sources.wfdb import WfdbSource
from trainwright.data.sources.wfdb_header import read_wfdb_header
from trainwright.data.sources.wfdb_record import AAMI, BEATS, read_annotations, read_signals
from trainwright.errors import DataError

wfdb = pytest.importorskip("wfdb")


@pytest.fixture
def record(tmp_path):
    """A record of two signals, 1000 samples at 100 Hz, with a beat every 100 samples: N, but V at 500."""

    def make(name="r", format="16", symbols=None, folder=tmp_path):
        rng = np.random.default_rng(0)
        values = rng.integers(-500, 500, (1000, 2)) / 200
        wfdb.wrsamp(
            name,
            100,
            ["mV", "mV"],
            ["I", "II"],
            values,
            fmt=[format] * 2,
            adc_gain=[200.0] * 2,
            baseline=[0, 0],
            write_dir=str(folder),
        )
        symbols = symbols or ["V" if n == 5 else "N" for n in range(10)]
        wfdb.wrann(name, "atr", np.arange(10) * 100 + 50, symbols, write_dir=str(folder))
        return values

    return make


@pytest.mark.parametrize("name", ["100", "s0010_re"])
def test_real_records_are_those_of_the_wfdb_package(shared_data, name):
    path = shared_data / "ecg_wfdb" / f"{name}.hea"
    header = read_wfdb_header(path)
    expected = wfdb.rdrecord(str(path.with_suffix("")))
    assert (header.rate, [signal.name for signal in header.signals]) == (expected.fs, expected.sig_name)
    found = read_signals(header, list(range(len(header.signals))))
    np.testing.assert_array_equal(found, expected.p_signal)


def test_real_annotations_are_those_of_the_wfdb_package(shared_data):
    path = shared_data / "ecg_wfdb" / "100.atr"
    expected = wfdb.rdann(str(path.with_suffix("")), "atr")
    found, notes = read_annotations(path, 650_000)
    assert (found.places == expected.sample).all()
    assert (found.symbols, not notes) == (expected.symbol, True)


@pytest.mark.parametrize("format", ["16", "24", "32", "80"])
def test_formats(tmp_path, record, format):
    written = record(format=format) if format != "80" else None
    if format == "80":
        values = np.random.default_rng(0).integers(-100, 100, (99, 1)) / 10
        wfdb.wrsamp(
            "r",
            100,
            ["mV"],
            ["I"],
            values,
            fmt=["80"],
            adc_gain=[10.0],
            baseline=[0],
            write_dir=str(tmp_path),
        )
        written = values
    found = read_signals(read_wfdb_header(tmp_path / "r.hea"), list(range(written.shape[1])))
    np.testing.assert_allclose(found, written, atol=1e-9)


def _packed(values, format):
    """Samples of 10 bits by hand, as signal(5) has them: three in four bytes, a rest in as few as needed."""
    data = b""
    for start in range(0, len(values), 3):
        a, b, c = (int(value) & 0x3FF for value in [*values[start : start + 3], 0, 0][:3])
        if format == "311":
            word = a | b << 10 | c << 20
        else:
            word = (a << 1 | (c & 0x1F) << 11) | (b << 1 | c >> 5 << 11) << 16
        data += word.to_bytes(4, "little")
    return data[: len(data) - {0: 0, 1: 2, 2: 0}[len(values) % 3]]


@pytest.mark.parametrize("format", ["310", "311", "8"])
@pytest.mark.parametrize("samples", [30, 31, 32])
def test_formats_that_pack_samples_or_differences(tmp_path, format, samples):
    rng = np.random.default_rng(samples)
    values = rng.integers(-511, 512, (samples, 2))
    start = np.array([17, -40])
    if format == "8":
        values = start + rng.integers(-128, 128, (samples, 2)).cumsum(axis=0)
        data = np.diff(values, axis=0, prepend=start[None]).astype(np.int8).tobytes()
    else:
        data = _packed(values.ravel(), format)
    (tmp_path / "r.dat").write_bytes(data)
    sums = [int(total) & 0xFFFF for total in values.sum(axis=0)]
    lines = [
        f"r.dat {format} 200(5)/mV 10 0 {start[k]} {sums[k] - (sums[k] > 32767) * 65536} 0 s{k}"
        for k in (0, 1)
    ]
    (tmp_path / "r.hea").write_text(f"r 2 100 {samples}\n" + "\n".join(lines) + "\n")
    found = read_signals(read_wfdb_header(tmp_path / "r.hea"), [0, 1])
    np.testing.assert_allclose(found, (values - 5) / 200, atol=1e-12)
    np.testing.assert_allclose(found, wfdb.rdrecord(str(tmp_path / "r")).p_signal, atol=1e-12)
    (tmp_path / "r.dat").write_bytes(data[:-3])
    with pytest.raises(DataError, match="it is cut off"):
        read_signals(read_wfdb_header(tmp_path / "r.hea"), [0, 1])


def test_all_symbols_of_beats_are_known():
    labels = wfdb.io.annotation.ann_label_table
    table = dict(zip(labels["label_store"], labels["symbol"], strict=True))
    from trainwright.data.sources.wfdb_record import _SYMBOLS

    assert {code: table[code] for code in _SYMBOLS} == _SYMBOLS
    assert set(AAMI) == BEATS


def test_windows_around_beats(tmp_path, record):
    values = record()
    source = WfdbSource(root=str(tmp_path), window=80)
    assert list(source.column("label")) == ["V" if n == 5 else "N" for n in range(10)]
    np.testing.assert_allclose(source.column("series")[5], values[510:590], atol=1e-9)
    assert source.sample_names()[5] == "r@510"
    assert source.splits() is None
    wide = WfdbSource(root=str(tmp_path), window=120, channels=["II"], labels="aami", symbols=["N"])
    np.testing.assert_allclose(wide.column("series")[0], values[90:210, 1:], atol=1e-9)
    assert len(wide) == 7
    assert sorted(wide.notices) == [
        "1 window has no beat, or one that is not asked for, and was left out",
        "2 beats lie too near the end of their record and were left out",
    ]


def test_windows_one_after_the_other_take_the_unusual_beat(tmp_path, record):
    record()
    source = WfdbSource(root=str(tmp_path), window=200, around="none")
    assert list(source.column("label")) == ["N", "N", "V", "N", "N"]


def test_splits_by_time_share_no_sample(tmp_path, record):
    record()
    source = WfdbSource(root=str(tmp_path), window=80, val=0.2, test=0.3)
    starts = np.array([int(name.split("@")[1]) for name in source.sample_names()])
    ends = {name: (starts[rows].min(), starts[rows].max() + 80) for name, rows in source.splits().items()}
    assert ends["train"][1] <= ends["val"][0] and ends["val"][1] <= ends["test"][0]
    assert {name: len(rows) for name, rows in source.splits().items()} == {"train": 5, "val": 2, "test": 3}


def test_a_record_that_cannot_be_read_is_a_fault(tmp_path, record):
    for name in ("a", "b", "c"):
        record(name)
    data = bytearray((tmp_path / "b.dat").read_bytes())
    data[100] ^= 0xFF
    (tmp_path / "b.dat").write_bytes(data)
    (tmp_path / "c.dat").write_bytes(bytes(data[:2000]))
    source = WfdbSource(root=str(tmp_path), window=80)
    assert set(source.column("record")) == {"a"}
    (_, checksum), (_, short) = source.faults
    assert "checksum of I does not fit" in checksum
    assert "cut off: 500 of 1000" in short


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the header is empty"),
        ("r\n", "names no number of signals"),
        ("r/3 2 100 1000\n", "several segments"),
        ("r x 100\n", "number of signals of 'x'"),
        ("r 1000000 100\n", "number of signals"),
        ("r 1 -5 10\nr.dat 16\n", "a rate of"),
        ("r 2 100 10\nr.dat 16\n", "1 of 2 signals"),
        ("r 1 100 10\n../r.dat 16\n", "own folder"),
        ("r 1 100 10\n/etc/passwd 16\n", "own folder"),
        ("r 1 100 10\nC:r.dat 16\n", "own folder"),
        ("r 1 100 10\nr.dat 16x4\n", "several samples a frame"),
        ("r 1 100 10\nr.dat 16:3\n", "skewed"),
        ("r 1 100 10\nr.dat sixteen\n", "format of 'sixteen'"),
        ("r 1 100 10\nr.dat 16 gain\n", "gain of 'gain'"),
        ("r 1 100 10\nr.dat 16 1e300\n", "gain of '1e300'"),
    ],
)
def test_headers_that_are_refused(tmp_path, text, message):
    (tmp_path / "r.hea").write_text(text)
    with pytest.raises(DataError, match=message):
        read_wfdb_header(tmp_path / "r.hea")


def test_what_cannot_be_asked_for(tmp_path, record):
    record()
    with pytest.raises(DataError, match="there is no record 'q'"):
        WfdbSource(root=str(tmp_path), records=["q"])
    with pytest.raises(DataError, match="no signal 'III'"):
        WfdbSource(root=str(tmp_path), channels=["III"])
    with pytest.raises(DataError, match="not one window"):
        WfdbSource(root=str(tmp_path), window=5000)
    (tmp_path / "r.atr").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        WfdbSource(root=str(tmp_path))
    assert len(WfdbSource(root=str(tmp_path), labels="none", around="none", window=100)) == 10


words = st.text(st.characters(codec="ascii", exclude_characters="\n\r"), max_size=12)


@settings(max_examples=300)
@given(st.lists(st.lists(words, max_size=9).map(" ".join), max_size=4), st.binary(max_size=40))
def test_any_header_and_annotations_give_a_record_or_a_named_fault(tmp_path_factory, lines, marks):
    folder = tmp_path_factory.getbasetemp() / "fuzz_wfdb"
    folder.mkdir(exist_ok=True)
    (folder / "r.dat").write_bytes(bytes(60))
    (folder / "r.atr").write_bytes(marks)
    for text in ("\n".join(lines), "\n".join(["r 1 100 20", "r.dat 16 200", *lines])):
        (folder / "r.hea").write_text(text)
        try:
            source = WfdbSource(root=str(folder), window=4)
        except DataError:
            continue
        assert all(
            piece.shape == (4, len(source.column("series")[0][0])) for piece in source.column("series")
        )


def test_the_shared_folder(shared_data, tmp_path):
    source = WfdbSource(root=str(shared_data / "ecg_wfdb"), records=["100"])
    labels = list(source.column("label"))
    assert (len(labels), labels.count("A"), labels.count("V")) == (2271, 33, 1)
    for name in ("100.hea", "100.dat"):
        shutil.copy(shared_data / "ecg_wfdb" / name, tmp_path / name)
    (tmp_path / "100.atr").write_bytes((shared_data / "ecg_wfdb" / "100.atr").read_bytes()[:1001])
    assert 0 < len(WfdbSource(root=str(tmp_path))) < 1000
