"""What undescribed data are taken for, and that the guess really can be prepared."""

import pytest

from trainwright.data.sniffing import sniff
from trainwright.data.sniffing.guess import split_for
from trainwright.data.splits import choose
from trainwright.errors import DataError
from trainwright.recipe.schema import Split


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


@pytest.mark.parametrize(
    ("suffix", "what"), [(".xml", "XML files"), (".wav", "sounds"), (".jpg", "pictures")]
)
def test_a_part_of_a_data_set_is_told_from_the_whole(tmp_path, suffix, what):
    (tmp_path / f"x{suffix}").write_bytes(b"?")
    with pytest.raises(DataError, match=rf"a single \{suffix} is no data set") as caught:
        sniff(tmp_path / f"x{suffix}")
    assert what in caught.value.fix and str(tmp_path) in caught.value.fix


def test_annotations_that_are_cut_off_are_told_with_line_and_column(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text('{"info": {},\n "images": [{"id": 1, "file_')
    for given in (path, tmp_path):
        with pytest.raises(DataError, match="cut off at column 29") as caught:
            sniff(given)
        assert caught.value.where == f"{path}:2"


def test_another_json_is_told_what_it_lacks(tmp_path):
    (tmp_path / "x.json").write_text('{"images": []}')
    with pytest.raises(DataError, match="the JSON has no annotations"):
        sniff(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("rows", "sizes"), [(1, {"train": 1}), (2, {"train": 1, "val": 1}), (3, {"train": 2, "val": 1})]
)
def test_few_rows_get_a_split_that_is_not_empty(rows, sizes):
    chosen = choose(rows, Split(**split_for(rows)), None, None)
    assert {name: len(found) for name, found in chosen.items()} == sizes


@pytest.mark.parametrize("rows", range(1, 60))
def test_no_split_of_a_first_recipe_is_empty(rows):
    chosen = choose(rows, Split(**split_for(rows)), None, None)
    assert min(map(len, chosen.values())) > 0
    assert ("test" in chosen) == (rows >= 10)
