import pytest

from trainwright.wording import counted, of_one, with_count


def test_one_is_singular_and_every_other_count_is_not():
    assert counted(1, "picture") == "1 picture"
    assert [counted(count, "class", "classes") for count in (0, 2)] == ["0 classes", "2 classes"]
    assert counted(1200, "record is", "records are") == "1,200 records are"


@pytest.mark.parametrize(
    ("several", "one"),
    [
        (
            "boxes reach beyond their picture; they are clipped when encoded",
            "box reaches beyond its picture; it is clipped when encoded",
        ),
        ("files are no images by name and were left out", "file is no image by name and was left out"),
        ("rows without a target are filtered out", "row without a target is filtered out"),
        ("samples are in none of the splits", "sample is in none of the splits"),
        (
            "held-out pictures have a near copy in another split",
            "held-out picture has a near copy in another split",
        ),
        ("classes of label have no sample in val", "class of label has no sample in val"),
        ("image files have the suffix of another format", "image file has the suffix of another format"),
        ("images carry an EXIF orientation", "image carries an EXIF orientation"),
        ("series are empty", "series is empty"),
        ("reads failed and were repeated", "read failed and was repeated"),
        ("duplicates", "duplicate"),
        ("images are animated, or have several pages", "image is animated, or has several pages"),
        ("texts stand among the numbers of column x", "text stands among the numbers of column x"),
        ("the data cannot be read as the recipe says", "the data cannot be read as the recipe says"),
    ],
)
def test_what_is_said_of_several_is_said_of_one(several, one):
    assert of_one(several) == one
    assert with_count(1, several) == f"1 {one}"
    assert with_count(2000, several) == f"2,000 {several}"
