"""Arrays in `.npz` files, against `numpy.load`; what is large and not compressed is mapped."""

import numpy as np
import pytest

from trainwright.data.sources.arrays import ArraysSource
from trainwright.data.sources.npz_mapping import load_npz
from trainwright.errors import DataError

LARGE = np.random.default_rng(0).normal(size=(40_000, 8))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_values_are_those_of_numpy(tmp_path, save):
    arrays = {
        "x": LARGE,
        "turned": np.asfortranarray(LARGE),
        "small": np.arange(5),
        "w": np.array(["a", "b"]),
    }
    save(tmp_path / "a.npz", **arrays)
    found = load_npz(tmp_path / "a.npz")
    assert list(found) == list(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(found[name], values)
    mapped = {name for name, values in found.items() if isinstance(values, np.memmap)}
    assert mapped == ({"x", "turned"} if save is np.savez else set())


def test_objects_are_refused_in_words(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}] * 200_000, dtype=object), y=np.arange(200_000))
    with pytest.raises(DataError, match="cannot be read") as error:
        ArraysSource(path=str(tmp_path / "a.npz"))
    assert "without Python objects" in error.value.fix


def test_compressed_arrays_that_have_to_be_held_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("trainwright.data.sources.npz_mapping._TOLD_BYTES", 1 << 16)
    x = np.zeros((300, 100))
    np.savez_compressed(tmp_path / "c.npz", x=x, y=np.arange(300))
    [notice] = ArraysSource(path=str(tmp_path / "c.npz")).notices
    assert notice.startswith("x is compressed in c.npz, so its 0.00 GiB are held in memory")
    np.savez(tmp_path / "s.npz", x=x, y=np.arange(300))
    assert list(ArraysSource(path=str(tmp_path / "s.npz")).notices) == []
