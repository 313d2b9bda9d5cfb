from types import SimpleNamespace

import numpy as np

from trainwright.data.checks import objects as check
from trainwright.data.checks.subject import Subject
from trainwright.data.objects import Objects
from trainwright.data.types import PreparedData

PICTURE = (100, 200)  # height, width


def findings(*pictures, classes=(), others="error"):
    """What the check says of pictures' objects, by what is wrong: count and, of fixes, places."""
    spec = SimpleNamespace(classes=classes)
    processor = SimpleNamespace(type="boxes", spec=lambda: spec, others=others)
    column = SimpleNamespace(
        name="objects", processor=processor, is_target=True, values=list(pictures), parts=["objects"]
    )
    data = PreparedData(
        arrays={},
        splits={"train": np.arange(len(pictures))},
        names=[f"{row}.jpg" for row in range(len(pictures))],
        inputs={},
        targets={},
        source=pictures,
        columns=[column],
    )
    return {item.what: item for item in check.find(Subject(data))}


def objects(*boxes, labels=None, names=()):
    labels = labels or ("cell",) * len(boxes)
    return Objects(PICTURE, tuple(labels), np.array(boxes, dtype=float).reshape(-1, 4), names=names)


def test_good_boxes_and_boxes_rounded_over_the_edge_are_no_finding():
    assert findings(objects([0, 0, 200, 100], [10, 10, 30, 40]), objects([-0.4, 0, 200.4, 100])) == {}


def test_each_fault_is_told_with_what_is_done_about_it():
    found = findings(
        objects(
            [10, 10, 50, np.nan],  # no number
            [60, 10, 20, 40],  # right is left of left
            [10, 20, 30, 20],  # no height
            [210, 10, 230, 30],  # beside the picture
            [150, 50, 260, 80],  # over the edge
            [10, 10, 11, 90],  # one pixel wide
        )
    )
    told = {what: (item.count, [(f.action, f.objects) for f in item.fixes]) for what, item in found.items()}
    assert told == {
        "boxes have a coordinate that is no number": (1, [("drop_objects", (0,))]),
        "boxes have no area": (2, [("drop_objects", (1, 2))]),
        "boxes lie outside their image": (1, [("drop_objects", (3,))]),
        "boxes reach over the edge of their image": (1, [("clip_objects", (4,))]),
        "boxes are smaller than 2 pixels": (1, []),
    }


def test_the_second_of_two_equal_objects_is_dropped():
    box = [10, 10, 30, 40]
    (found,) = findings(objects(box, box, box, labels=["a", "b", "a"])).values()
    assert [fix.objects for fix in found.fixes] == [(2,)]


def test_shared_ids_and_unknown_classes_are_named():
    found = findings(
        objects([1, 1, 9, 9], [20, 20, 40, 40], labels=["a", "z"], names=["7", "7"]), classes=("a",)
    )
    assert {what: item.count for what, item in found.items()} == {
        "objects share their id with another one": 2,
        "objects have an unknown class": 1,
    }
    assert found["objects have an unknown class"].examples[0].detail.startswith("7: z")
    assert "others: drop" in found["objects have an unknown class"].fix


def test_classes_that_the_recipe_leaves_out_are_no_error():
    (found,) = findings(objects([1, 1, 9, 9], labels=["z"]), classes=("a",), others="drop").values()
    assert found.severity == "notice" and "does not list" in found.what and not found.fixes
