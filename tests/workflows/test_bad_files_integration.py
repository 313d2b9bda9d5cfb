"""Every broken file that the README of the shared data describes: what is said of it, and mended."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainwright.workflows.data_fixing import fix_data
from trainwright.workflows.gate import check_data


@pytest.fixture(scope="module")
def bad(shared_data, tmp_path_factory):
    """A copy of the broken files, to which a test may do anything."""
    folder = tmp_path_factory.mktemp("bad") / "files"
    shutil.copytree(shared_data / "bad", folder)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """A folder with four good photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for place in range(4):
        noise = np.random.default_rng(place).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"good{place}.png")
    return folder


def digests(folder):
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def told_of(checked, sample):
    """Severity and words of every finding with this sample among its examples."""
    return [
        (item["severity"], f"{item['what']}: {example['detail']}")
        for item in checked.findings.found
        for example in item["examples"]
        if example["sample"] == sample
    ]


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("truncated.jpg", "error", "damaged or cut off"),
        ("zero_byte.png", "error", "the file is empty (0 bytes)"),
        ("text_named.jpg", "error", "not an image that can be read"),
        ("huge_header.png", "error", "the header claims more than"),
        ("png_named.jpg", "warning", "PNG named .jpg"),
        ("one_pixel.png", "warning", "1 x 1 pixels"),
        ("cmyk.jpg", "notice", "no RGB (column image): CMYK"),
        ("gray16.png", "notice", "16 bits"),
        ("gray_alpha.png", "notice", "transparent in places (column image): LA"),
        ("palette_transparent.png", "notice", "transparent in places (column image): P"),
        ("exif_rotated_90.jpg", "notice", "orientation 6, stored as 160 x 80"),
    ],
)
def test_pictures_are_told_by_what_is_wrong_with_them(bad, pictures, name, severity, words):
    shutil.copy(bad / name, pictures / name)
    checked = check_data(pictures)
    found = told_of(checked, name)
    assert severity in [level for level, _ in found]
    assert any(words in text for _, text in found), found
    assert checked.in_order == (severity != "error")


@pytest.mark.parametrize(
    "name", ["truncated.jpg", "zero_byte.png", "text_named.jpg", "huge_header.png", "one_pixel.png"]
)
def test_pictures_that_cannot_be_used_are_left_out_and_nothing_is_touched(bad, pictures, tmp_path, name):
    shutil.copy(bad / name, pictures / name)
    before = digests(pictures)
    fixed = fix_data(pictures, (), tmp_path / "fixed")
    assert fixed.counts == {"leave_out": 1}
    assert digests(pictures) == before
    again = check_data(fixed.recipe)
    assert again.in_order
    assert told_of(again, name) == []
    assert again.findings.checked == {"train": 4}


def table(path, **source):
    number = {"type": "number"}
    return {
        "name": "table",
        "data": {
            "source": {"name": "table", "path": str(path), **source},
            "inputs": {"sepal_length": number, "sepal_width": number},
            "targets": {"species": {"type": "category"}},
        },
        "model": {"name": "mlp"},
    }


def lines_of(checked):
    return {
        example["sample"].partition(", column")[0].rpartition(":")[2]
        for item in checked.findings.found
        for example in item["examples"]
    }


def test_a_ragged_table_is_told_by_lines(bad):
    checked = check_data(table(bad / "ragged.csv"))
    assert not checked.in_order
    # 3: empty, 4: text, 5: short, 6: long, 7: NaN and inf.
    assert {"3", "4", "5", "6", "7"} <= lines_of(checked)


def test_a_ragged_table_is_told_by_lines_without_a_recipe_too(bad):
    checked = check_data(bad / "ragged.csv")
    assert not checked.in_order
    assert {"3", "4", "5", "6", "7"} <= lines_of(checked)


def test_a_ragged_table_is_mended(bad, tmp_path):
    before = digests(bad)
    recipe = table(bad / "ragged.csv")
    recipe["data"] |= {
        "inputs": {"species": {"type": "category"}},
        "targets": {"sepal_length": {"type": "number"}},
    }
    assert {"5", "6", "7"} <= lines_of(check_data(recipe))
    fixed = fix_data(recipe, (), tmp_path)
    assert fixed.counts == {"ignore_record": 2, "leave_out": 1}
    assert fixed.checked.findings.checked == {"train": 3}
    assert check_data(fixed.recipe).in_order
    assert digests(bad) == before


def annotated(source, target="boxes"):
    return {
        "name": "annotated",
        "data": {
            "source": source,
            "inputs": {"image": {"type": "image", "size": 64}},
            "targets": {"objects": {"type": target}},
        },
        "model": {"name": "cnn"},
    }


def assert_only_conflicts(checked):
    """All pictures are equal and their objects are not: to leave all of them out would leave nothing."""
    assert checked.in_order
    found = {item["check"]: item for item in checked.findings.found}
    assert set(found) == {"duplicates", "labels"}
    assert "different labels (objects)" in found["duplicates"]["what"]
    assert not found["duplicates"]["fixable"]


def all_words(checked):
    return "\n".join(
        f"{example['sample']}: {example['detail']}"
        for item in checked.findings.found
        for example in item["examples"]
    )


def test_coco_annotations_are_told_by_their_ids_and_mended(bad, tmp_path):
    before = digests(bad)
    folder = bad / "coco_bad"
    recipe = annotated(
        {"name": "coco", "annotations": str(folder / "annotations.json"), "images": str(folder / "images")}
    )
    checked = check_data(recipe)
    words = all_words(checked)
    assert not checked.in_order
    for name in (
        *(f"annotation {number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 11)),
        "image 2",
        "image 3",
        "image 4",
    ):
        assert name in words
    fixed = fix_data(recipe, (), tmp_path)
    assert_only_conflicts(fixed.checked)
    assert_only_conflicts(check_data(fixed.recipe))
    assert digests(bad) == before


def test_a_cut_off_json_is_told_with_its_position(bad):
    folder = bad / "coco_bad"
    source = {
        "name": "coco",
        "annotations": str(folder / "annotations_truncated.json"),
        "images": str(folder / "images"),
    }
    checked = check_data(annotated(source))
    assert not checked.in_order
    lines = (folder / "annotations_truncated.json").read_text().splitlines()
    assert f"annotations_truncated.json:{len(lines)}" in all_words(checked)
    assert f"cut off at column {len(lines[-1]) + 1}" in all_words(checked)


def test_yolo_labels_are_told_by_their_lines_and_mended(bad, tmp_path):
    before = digests(bad)
    recipe = annotated({"name": "yolo", "root": str(bad / "yolo_bad")})
    checked = check_data(recipe)
    words = all_words(checked)
    assert not checked.in_order
    for line in range(2, 10):
        assert f"labels/a.txt:{line}" in words
    assert "labels/a.txt:1:" not in words
    notes = " ".join(checked.findings.notes)
    assert "labels/orphan.txt" in notes
    assert "images/no_label.jpg" in notes
    fixed = fix_data(recipe, (), tmp_path)
    assert_only_conflicts(fixed.checked)
    assert digests(bad) == before


def test_a_bad_voc_file_is_told_by_its_object(bad, tmp_path):
    shutil.copy(bad / "voc_bad.xml", tmp_path / "voc_bad.xml")
    words = all_words(check_data(annotated({"name": "voc", "root": str(tmp_path)})))
    assert "the box of 'rbc' has no area" in words
    assert "the object 'wbc' has no ymin" in words


def test_a_mask_of_another_size_and_class_is_told_and_left_out(bad, tmp_path):
    root = tmp_path / "masks"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for place in range(4):
        pixels = np.random.default_rng(place).integers(0, 256, (120, 160, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{place}.png")
        Image.fromarray((pixels[..., 0] > 128).astype(np.uint8)).save(root / "masks" / f"{place}.png")
    shutil.copy(bad / "mask_wrong_size_and_class.png", root / "masks" / "2.png")
    before = digests(root)
    recipe = annotated({"name": "masks", "root": str(root), "classes": ["ground", "cell"]}, "mask")
    recipe["data"]["targets"] = {"mask": {"type": "mask", "classes": ["ground", "cell"]}}
    checked = check_data(recipe)
    assert not checked.in_order
    assert "2.png" in all_words(checked)
    assert "80" in all_words(checked) and "160" in all_words(checked)
    fixed = fix_data(recipe, (), tmp_path / "fixed")
    assert fixed.checked.in_order
    assert digests(root) == before
    assert json.loads(fixed.fixes.read_text().splitlines()[1])["action"] in ("leave_out", "ignore_record")


def test_an_odd_class_of_masks_is_told_where_no_classes_are_named(bad, tmp_path):
    root = tmp_path / "masks"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for place in range(12):
        pixels = np.random.default_rng(place).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{place}.png")
        Image.fromarray((pixels[..., 0] > 128).astype(np.uint8)).save(root / "masks" / f"{place}.png")
    recipe = annotated({"name": "masks", "root": str(root)}, "mask")
    recipe["data"]["targets"] = {"mask": {"type": "mask"}}
    recipe["data"]["split"] = {"train": 1.0}
    assert "masks" not in {item["check"] for item in check_data(recipe).findings.found}
    shutil.copy(bad / "mask_wrong_size_and_class.png", root / "masks" / "2.png")
    assert ("warning", "ids 200") in [
        (level, text.rpartition(": ")[2]) for level, text in told_of(check_data(recipe), "images/2.png")
    ]
    pixels = np.zeros((70, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(root / "images" / "2.png")
    assert "with ids from 200 to 200" in all_words(check_data(recipe))


def test_bad_sounds_are_told_by_what_is_wrong_and_left_out(bad, shared_data, tmp_path):
    pytest.importorskip("soundfile")
    root = tmp_path / "sounds"
    root.mkdir()
    for digit in range(4):
        for speaker in ("jackson", "theo"):
            name = f"{digit}_{speaker}_0.wav"
            shutil.copy(shared_data / "fsdd" / "recordings" / name, root / name)
    for place, name in enumerate(("corrupt_header", "truncated", "empty")):
        shutil.copy(bad / f"{name}.wav", root / f"{place}_bad_0.wav")
    before = digests(root)
    recipe = {
        "name": "sounds",
        "data": {
            "source": {
                "name": "files",
                "root": str(root),
                "kind": "audio",
                "pattern": "{label}_{speaker}_{index}.wav",
            },
            "inputs": {"audio": {"type": "audio", "length": 0.5}},
            "targets": {"label": {"type": "category"}},
        },
        "model": {"name": "cnn"},
    }
    checked = check_data(recipe)
    assert not checked.in_order
    assert told_of(checked, "0_bad_0.wav")[0][1].endswith("its header claims 0 channels and 0 Hz")
    assert "it is cut off" in told_of(checked, "1_bad_0.wav")[0][1]
    assert told_of(checked, "2_bad_0.wav")[0][1].endswith("it has no samples")
    fixed = fix_data(recipe, (), tmp_path / "fixed")
    assert fixed.counts == {"leave_out": 3}
    assert check_data(fixed.recipe).in_order
    assert digests(root) == before


@pytest.mark.parametrize("folder", ["coco_bad", "yolo_bad"])
def test_annotations_are_checked_and_mended_without_a_recipe(bad, tmp_path, folder):
    before = digests(bad)
    assert not check_data(bad / folder).in_order
    fixed = fix_data(bad / folder, (), tmp_path)
    assert fixed.checked.in_order
    assert check_data(fixed.recipe).in_order
    assert digests(bad) == before
