"""Pictures with found objects, pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from trainwright.errors import UserError
from trainwright.inference.predictions import Predictions
from trainwright.workflows.drawing_answers import draw_answers


@pytest.fixture
def photos(tmp_path):
    paths = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (80, 60)).save(tmp_path / folder / "same name.png")
        paths.append(str(tmp_path / folder / "same name.png"))
    return paths


def answers(photos, found):
    return Predictions({"sample": photos, "pets_predicted": found}, {"pets": ("cat",)})


def test_each_item_has_its_picture_and_faint_objects_stay_out(photos, tmp_path):
    found = [
        [
            {"class": "cat", "score": 0.9, "box": [10, 10, 50, 40]},
            {"class": "cat", "score": 0.1, "box": [60, 5, 70, 9]},
        ],
        [],
    ]
    out = tmp_path / "drawn"
    out.mkdir()
    items = [photos[0], {"photo": photos[1]}]
    told = answers(photos, found)
    assert draw_answers(told, items, "photo", out, 0.3) == 2
    assert told["drawn"] == [str(out / "same_name.png"), str(out / "same_name-2.png")]
    assert sorted(path.name for path in out.iterdir()) == ["same_name-2.png", "same_name.png"]
    drawn = np.asarray(Image.open(out / "same_name.png"))
    assert drawn.shape == (60, 80, 3)
    assert drawn[20, 10].any()  # the left edge
    assert not drawn[5:10, 60:71].any()  # the faint one
    assert not np.asarray(Image.open(out / "same_name-2.png")).any()


def test_names_cannot_leave_the_folder(photos, tmp_path):
    out = tmp_path / "drawn"
    out.mkdir()
    found = Predictions(
        {"sample": ["../../evil", ".."], "pets_predicted": [[], [{"class": "cat", "box": [1, 1, 9, 9]}]]},
        {"pets": ("cat",)},
    )
    draw_answers(found, photos, "", out, 0.3)
    assert sorted(path.name for path in out.iterdir()) == ["evil.png", "picture.png"]


def test_a_picture_that_cannot_be_read_is_passed_over(photos, tmp_path):
    out = tmp_path / "drawn"
    out.mkdir()
    items = [str(tmp_path / "gone.png"), photos[1]]
    assert (
        draw_answers(answers(photos, [[], [{"class": "cat", "box": [1, 1, 9, 9]}]]), items, "", out, 0.3) == 1
    )


def test_a_run_without_objects_is_told_so(photos, tmp_path):
    with pytest.raises(UserError, match="finds no objects or classes"):
        draw_answers(
            Predictions({"sample": photos, "age_predicted": np.ones(2)}, {}), photos, "", tmp_path, 0.3
        )
