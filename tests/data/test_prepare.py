"""From a recipe's data section to prepared data, end to end, on made and on real files."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from trainwright.data.prepare import prepare
from trainwright.data.processors.image import ImageProcessor
from trainwright.errors import DataError, ErrorList, RecipeError

IMAGE = {"type": "image", "size": 8}
LABEL = {"type": "category"}


def folder(make_data, root, **rest):
    rest.setdefault("split", {"val": 0.25})
    return make_data({"name": "folder", "root": str(root)}, {"image": IMAGE}, {"label": LABEL}, **rest)


def test_digits_are_those_of_scikit_learn(make_data, prepared):
    from sklearn.datasets import load_digits

    reference = load_digits()
    data = make_data(
        "digits",
        {"image": {"type": "image"}, "pixels": {"type": "number", "normalise": "none"}},
        {"label": LABEL},
        split={"val": 0.1, "test": 0.1},
    )
    result = prepared(data)
    assert np.array_equal(result.arrays["pixels"], reference.data)
    assert np.array_equal(result.arrays["image"][..., 0], np.minimum(reference.images * 17, 255))
    assert np.array_equal(result.arrays["label"], reference.target)
    assert {name: len(rows) for name, rows in result.splits.items()} == {
        "train": 1437,
        "val": 180,
        "test": 180,
    }
    assert result.info().targets["label"].classes == tuple("0123456789")
    assert len(result.fingerprint) == 64
    assert not result.streamed


def test_fits_see_the_training_split_only(make_data, prepared):
    x = np.arange(100.0)[:, None]
    data = make_data(
        "digits",
        {"x": {"type": "number"}},
        {"y": {"type": "number", "normalise": "none"}},
        split={"val": 0.5},
    )
    result = prepared(data, memory_data=(x, x[:, 0]))
    train = x[result.splits["train"]]
    np.testing.assert_allclose(result.inputs["x"].mean, train.mean())
    np.testing.assert_allclose(result.inputs["x"].scale, train.std())


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_decoded_values_are_the_same_for_any_number_of_workers(make_data, prepared, class_folders, workers):
    root = class_folders(count=40)
    result = prepared(folder(make_data, root), workers=workers)
    processor = ImageProcessor(size=8, mode="rgb")
    paths = [root / name for name in result.names]
    assert np.array_equal(result.arrays["image"], np.stack([processor.encode(path) for path in paths]))
    assert [path.parent.name for path in paths] == [
        result.targets["label"].decode(id) for id in result.arrays["label"]
    ]


def test_the_second_time_comes_from_the_cache_and_a_changed_file_does_not(make_data, prepared, class_folders):
    root = class_folders(count=4)
    data = folder(make_data, root)
    first, second = prepared(data), prepared(data)
    assert (first.cached, second.cached) == (False, True)
    assert np.array_equal(first.arrays["image"], second.arrays["image"])
    assert first.inputs["image"].state() == second.inputs["image"].state()
    shutil.copy(root / "dog" / "0.png", root / "cat" / "0.png")
    third = prepared(data)
    assert not third.cached
    assert third.fingerprint != first.fingerprint
    assert np.array_equal(third.arrays["image"][0], first.arrays["image"][4])


def test_moved_data_and_another_normalisation_still_use_the_cache(
    make_data, prepared, class_folders, tmp_path
):
    root = class_folders(count=4)
    first = prepared(folder(make_data, root))
    root.rename(tmp_path / "elsewhere")
    data = make_data(
        {"name": "folder", "root": str(tmp_path / "elsewhere")},
        {"image": IMAGE | {"normalise": "unit"}},
        {"label": LABEL},
        split={"val": 0.5},
    )
    second = prepared(data)
    assert second.cached
    assert second.fingerprint == first.fingerprint


def test_the_statistics_of_the_cache_are_those_of_the_split_at_hand(make_data, prepared, class_folders):
    root = class_folders(count=10)
    states = []
    for seed in (0, 1, 0):
        result = prepared(folder(make_data, root, split={"val": 0.5, "seed": seed}))
        images = result.arrays["image"][result.splits["train"]] / 255
        np.testing.assert_allclose(result.inputs["image"].mean, images.mean(axis=(0, 1, 2)), rtol=1e-9)
        states.append(result.inputs["image"].state())
    assert states[0] == states[2] != states[1]


BAD = ["truncated.jpg", "zero_byte.png", "text_named.jpg", "huge_header.png"]


@pytest.fixture
def with_bad_files(class_folders, shared_data):
    root = class_folders(count=10)
    for name in BAD:
        shutil.copy(shared_data / "bad" / name, root / "dog" / name)
    return root


@pytest.mark.parametrize("cache", ["auto", "none"])
@pytest.mark.parametrize("workers", [0, 2])
def test_stop_names_every_unreadable_file(make_data, prepared, with_bad_files, cache, workers):
    with pytest.raises(ErrorList) as error:
        prepared(folder(make_data, with_bad_files, cache=cache), workers=workers)
    text = str(error.value)
    assert len(error.value.errors) == 4
    assert all(f"dog/{name}, column image" in text for name in BAD)
    assert "empty" in text and "not an image" in text


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_skip_leaves_bad_files_out_of_every_split_up_to_the_limit(make_data, prepared, with_bad_files, cache):
    data = folder(make_data, with_bad_files, on_bad={"policy": "skip", "limit": 0.2}, cache=cache)
    for _ in range(2):  # decided anew, then from the cache
        result = prepared(data)
        assert sorted(item.name for item in result.dropped) == sorted(f"dog/{name}" for name in BAD)
        used = np.concatenate(list(result.splits.values()))
        assert len(used) == 20 and not set(used) & {item.row for item in result.dropped}
        counts = result.info().targets["label"].counts
        assert sum(counts) == len(result.splits["train"])
    assert result.cached
    with pytest.raises(DataError, match=r"4 of 24 samples cannot be read, more than 10\.00%"):
        prepared(folder(make_data, with_bad_files, on_bad={"policy": "skip", "limit": 0.1}))


def test_many_bad_samples_are_counted_and_twenty_named(make_data, prepared, class_folders):
    root = class_folders(count=30)
    for path in list(root.rglob("*.png"))[:33]:
        path.write_bytes(b"")
    with pytest.raises(ErrorList) as error:
        prepared(folder(make_data, root))
    assert len(error.value.errors) == 21
    assert "and 13 more samples cannot be read" in str(error.value)


def test_nothing_readable_at_all_names_the_first_files(make_data, prepared, class_folders):
    root = class_folders(count=2)
    for path in root.rglob("*.png"):
        path.write_bytes(b"text")
    with pytest.raises(DataError, match="not one of the first 4 samples") as error:
        prepared(folder(make_data, root))
    assert "not an image" in error.value.why and "4 times, in " in error.value.why


def test_images_of_several_sizes_are_told_with_the_place_in_the_recipe(
    make_data, prepared, class_folders, make_picture
):
    root = class_folders(count=3)
    for path in (root / "cat").iterdir():
        make_picture(5, 5).save(path)
    data = make_data(
        {"name": "folder", "root": str(root)},
        {"image": {"type": "image"}},
        {"label": LABEL},
        split={"val": 0.25},
    )
    with pytest.raises(RecipeError, match="differ in size") as error:
        prepared(data)
    assert error.value.where == "data.inputs.image"


def test_rows_dropped_by_one_column_leave_the_fits_of_the_others(make_data, prepared, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,b,y\n" + "1,1,u\n2,2,v\n" * 10 + "1000,oops,w\n")
    data = make_data(
        {"name": "table", "path": str(table)},
        {"a": {"type": "number", "normalise": "min_max"}, "b": {"type": "number"}},
        {"y": LABEL},
        split={"val": 0.2},
        on_bad={"policy": "skip", "limit": 0.1},
    )
    result = prepared(data)
    assert [(item.name, item.reason) for item in result.dropped] == [("t.csv:22", "'oops' is not a number")]
    assert result.inputs["a"].high == [2.0]
    assert result.targets["y"].classes == ("u", "v")


def test_ragged_tables_name_their_lines(make_data, prepared, shared_data):
    data = make_data(
        {"name": "table", "path": str(shared_data / "bad" / "ragged.csv")},
        {"x": {"type": "number", "columns": ["sepal_length", "sepal_width"]}},
        {"species": LABEL},
        split={"val": 0.2},
    )
    with pytest.raises(ErrorList) as error:
        prepared(data)
    found = {(item.where.split("/")[-1], item.what) for item in error.value.errors}
    assert found == {
        ("ragged.csv:3, column x", "sepal_width is missing or NaN"),
        ("ragged.csv:4, column x", "'abc' is not a number"),
        ("ragged.csv:5", "2 fields where 3 are expected"),
        ("ragged.csv:6", "4 fields where 3 are expected"),
        ("ragged.csv:7, column x", "sepal_length is missing or NaN"),
    }


def test_a_class_that_training_lacks_is_named(make_data, prepared, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("x,y,s\n1,a,train\n2,b,train\n3,c,test\n")
    data = make_data(
        {"name": "table", "path": str(table), "split_column": "s"}, {"x": {"type": "number"}}, {"y": LABEL}
    )
    with pytest.raises(DataError, match="class 'c' is not among the 2 classes of training"):
        prepared(data)


def test_one_class_only_and_an_unknown_column_are_refused(make_data, prepared, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "1,a\n2,a\n" * 5)
    source = {"name": "table", "path": str(table)}
    with pytest.raises(DataError, match="one class only: a"):
        prepared(make_data(source, {"x": {"type": "number"}}, {"y": LABEL}, split={"val": 0.2}))
    with pytest.raises(DataError, match="no column 'yy'") as error:
        prepared(make_data(source, {"x": {"type": "number"}}, {"yy": LABEL}, split={"val": 0.2}))
    assert "'y'" in error.value.fix


def test_without_splits_the_recipe_must_give_some(make_data, prepared, class_folders):
    with pytest.raises(RecipeError, match="no splits"):
        prepared(folder(make_data, class_folders(), split=None))


X = np.arange(40, dtype=np.float32).reshape(20, 2)
Y = np.tile(["no", "yes"], 10)


class PairDataset(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 20

    def __getitem__(self, index):
        return torch.from_numpy(X[index]), Y[index].item()


@pytest.mark.parametrize(
    "memory",
    [
        (X, Y),
        (X.tolist(), Y.tolist()),
        {"x": torch.from_numpy(X), "y": Y},
        {"features": X, "answer": Y},
        PairDataset(),
    ],
    ids=["arrays", "lists", "mapping", "named mapping", "dataset"],
)
def test_data_in_memory(make_data, prepared, memory):
    inputs = {"features": {"type": "number", "normalise": "none"}}
    result = prepared(make_data("digits", inputs, {"answer": LABEL}, split={"val": 0.2}), memory_data=memory)
    assert np.array_equal(result.arrays["features"], X)
    assert result.arrays["answer"].tolist() == [0, 1] * 10
    assert len(result.fingerprint) == 64


def test_a_data_frame_and_given_splits_in_memory(make_data, prepared):
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "answer": Y})
    inputs = {"features": {"type": "number", "columns": ["a", "b"], "normalise": "none"}}
    data = make_data("digits", inputs, {"answer": LABEL}, split={"val": 0.2})
    assert np.array_equal(prepared(data, memory_data=frame).arrays["features"], X)
    parts = {"train": frame[:15], "test": frame[15:]}
    result = prepared(make_data("digits", inputs, {"answer": LABEL}), memory_data=parts)
    assert result.splits["test"].tolist() == [15, 16, 17, 18, 19]


def test_images_in_memory_are_not_copied(make_data, prepared):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    data = make_data("digits", {"image": {"type": "image"}}, {"label": LABEL}, split={"val": 0.2})
    result = prepared(data, memory_data=(images, np.arange(20) % 2))
    assert np.shares_memory(result.arrays["image"], images)


def test_fitted_processors_are_used_as_they_are(make_data, prepared, class_folders):
    root = class_folders(count=8)
    trained = prepared(folder(make_data, root))
    processors = {**trained.inputs, **trained.targets}
    before = {name: item.state() for name, item in processors.items()}
    again = prepared(folder(make_data, root, split=None), processors=processors)
    assert {name: item.state() for name, item in processors.items()} == before
    assert list(again.splits) == ["test"]
    assert len(again.splits["test"]) == 16


def test_too_large_for_the_cache_means_decoding_on_the_fly(make_data, prepared, class_folders, monkeypatch):
    monkeypatch.setenv("TRAINWRIGHT_CACHE_GB", "0.000001")
    result = prepared(folder(make_data, class_folders()))
    assert list(result.streamed) == ["image"] and "image" not in result.arrays
    assert any("exceed the cache" in notice for notice in result.notices)


def test_a_cache_that_cannot_be_written_means_decoding_on_the_fly(make_data, class_folders, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = prepare(folder(make_data, class_folders()), cache_dir=tmp_path / "file" / "cache", workers=0)
    assert list(result.streamed) == ["image"]
    assert any("cannot be cached" in notice for notice in result.notices)
    images = [result.inputs["image"].encode(raw) for raw in result.streamed["image"]]
    train = np.stack([images[row] for row in result.splits["train"]]) / 255
    np.testing.assert_allclose(result.inputs["image"].mean, train.mean(axis=(0, 1, 2)), rtol=1e-9)


@pytest.mark.parametrize("normalise", ["imagenet", "dataset"])
def test_pictures_are_decoded_for_a_fit_only_where_it_learns(
    make_data, prepared, class_folders, monkeypatch, normalise
):
    fitted = []
    monkeypatch.setattr(ImageProcessor, "fit", lambda self, values: fitted.append(len(values)))
    source = {"name": "folder", "root": str(class_folders(count=10))}
    image = IMAGE | {"normalise": normalise}
    prepared(make_data(source, {"image": image}, {"label": LABEL}, split={"val": 0.25}, cache="none"))
    assert bool(fitted) == (normalise == "dataset")


def test_progress_and_times_are_told(make_data, prepared, class_folders):
    told = []
    result = prepared(
        folder(make_data, class_folders(count=40)),
        workers=1,
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )
    assert told[-1] == ("decode", 80, 80)
    assert {"fingerprint", "fit", "decode", "split", "source"} == set(result.seconds)


def test_mnist_is_read_whole_and_kept_unpacked(make_data, prepared, shared_data):
    data = make_data(
        {"name": "idx", "root": str(shared_data / "mnist")},
        {"image": {"type": "image", "normalise": "dataset"}},
        {"label": LABEL},
        split={"val": 0.1},
    )
    first, second = prepared(data), prepared(data)
    assert {name: len(rows) for name, rows in first.splits.items()} == {
        "train": 54000,
        "val": 6000,
        "test": 10000,
    }
    # The published mean and deviation of all 60,000 training images are 0.1307 and 0.3081.
    np.testing.assert_allclose(
        [first.inputs["image"].mean, first.inputs["image"].std], [[0.1307], [0.3081]], atol=2e-4
    )
    assert second.cached
    assert np.array_equal(first.arrays["image"][::1000], second.arrays["image"][::1000])


IMPORTS = """
import sys
from pathlib import Path
from trainwright import registry
from trainwright.recipe.schema import Data
from trainwright.data.prepare import prepare
def column(type, **options):
    spec = registry.validate("processor", {"name": type, **options})
    return {"type": type, **{key: value for key, value in spec.items() if key != "name"}}
def run(source, inputs, target):
    source = registry.validate("source", source)
    data = dict(source=source, inputs=inputs, targets={target: column("category")}, split={"val": 0.25})
    prepare(Data.model_validate(data), cache_dir=Path(sys.argv[2]), workers=1)
run({"name": "folder", "root": sys.argv[1]}, {"image": column("image", size=8)}, "label")
table = Path(sys.argv[3])
table.write_text("x,y,n\\n" + "1.5,a,1\\n,b,2\\n" * 10)
source = {"name": "table", "path": str(table), "row_filter": "n <= 2 and y in ['a', 'b']"}
run(source, {"x": column("number", missing="mean")}, "y")
print([name for name in ("torch", "pandas", "sklearn", "timm", "matplotlib", "scipy") if name in sys.modules])
"""


def test_the_data_layer_imports_neither_torch_nor_pandas(class_folders, tmp_path):
    places = [str(class_folders(count=20)), str(tmp_path / "cache"), str(tmp_path / "t.csv")]
    answer = subprocess.run([sys.executable, "-c", IMPORTS, *places], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
