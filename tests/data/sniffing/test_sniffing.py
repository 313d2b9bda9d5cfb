"""What undescribed data are taken for, and that the guess really can be prepared."""

import pytest

from trainwright.data.sniffing import sniff
from trainwright.errors import DataError


def test_every_guess_can_be_prepared(shared_data, make_data, prepared):
    for name, size, split in [
        ("mnist", 70000, {"val": 0.1}),
        ("fashion_mnist_sprite/images", 900, {"val": 0.15, "test": 0.15}),
        ("tabular/iris.csv", 150, {"val": 0.15, "test": 0.15}),
        ("tabular/penguins.csv", 333, {"val": 0.15, "test": 0.15}),
        ("tabular/mpg.csv", 398, {"val": 0.15, "test": 0.15}),
        ("galaxy_photoz/mldata_lin_est.csv", 23272, {"val": 0.15, "test": 0.15}),
    ]:
        guess = sniff(shared_data / name)
        assert (guess.size, guess.split) == (size, split), name
        result = prepared(make_data(guess.source, guess.inputs, guess.targets, split=guess.split))
        assert sum(len(rows) for rows in result.splits.values()) == size, name
        assert guess.notes, name


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no class folders"),
        (["a.csv", "b.csv"], "there are 2 tables"),
        (["notes.md"], "no class folders"),
    ],
)
def test_folders_that_say_nothing(tmp_path, names, message):
    for name in names:
        (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=message):
        sniff(tmp_path)


def test_unknown_kinds_and_nothing_at_all(tmp_path):
    (tmp_path / "x.docx").write_text("?")
    with pytest.raises(DataError, match=r"a \.docx is no kind of data"):
        sniff(tmp_path / "x.docx")
    with pytest.raises(DataError, match="no such data"):
        sniff(tmp_path / "gone")
