"""What undescribed data are taken for, and that the guess really can be prepared."""

import numpy as np
import pytest

from trainwright.data.sniff import sniff
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


def test_cifar_and_photos(shared_data):
    cifar = sniff(shared_data / "cifar10" / "cifar10_images.zip")
    assert cifar.source["name"] == "folder"
    assert cifar.inputs == {"image": {"type": "image", "size": [32, 32]}}
    assert cifar.split == {"val": 0.1}
    photos = sniff(shared_data / "clothing10")
    assert photos.inputs["image"] == {"type": "image", "size": 224, "resize": "crop"}
    assert any("LICENSE" in note for note in photos.notes)


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


def test_arrays_with_splits(tmp_path):
    images = np.zeros((6, 9, 8), dtype=np.uint8)
    np.savez(
        tmp_path / "d.npz", x_train=images, y_train=np.arange(6) % 2, x_test=images, y_test=np.arange(6) % 2
    )
    guess = sniff(tmp_path / "d.npz")
    assert guess.inputs == {"x": {"type": "image", "size": [9, 8]}}
    assert guess.targets == {"y": {"type": "category"}}
    assert (guess.split, guess.size) == ({"val": 0.1}, 12)


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
