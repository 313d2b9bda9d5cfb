"""COCO JSON is known by the ends of the file."""

import pytest

from trainwright.data.sources.coco_likeness import looks_like_coco


@pytest.mark.parametrize(
    ("text", "whole", "some"),
    [
        ('{"images": [], "annotations": []}', True, True),
        ('\ufeff \n{"annotations": [], "images": []}', True, True),
        ('{"images": [], "annot', False, True),
        ('[{"images": [], "annotations": []}]', False, False),
        ("", False, False),
    ],
)
def test_the_members_tell(tmp_path, text, whole, some):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    assert (looks_like_coco(path), looks_like_coco(path, some=True)) == (whole, some)


def test_members_at_both_ends_of_a_large_file_are_seen(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images": [' + " " * (3 << 20) + '], "annotations": []}')
    assert looks_like_coco(path)
