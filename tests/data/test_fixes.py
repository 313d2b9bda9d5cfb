import json

import numpy as np
import pytest

from trainwright.data.fixes import Fix, FixedSource, Fixes, read_fixes, write_fixes
from trainwright.data.objects import Objects
from trainwright.errors import DataError

FIXES = [
    Fix("leave_out", "a.jpg", "cut off"),
    Fix("ignore_record", "t.csv:7", "2 fields"),
    Fix("drop_objects", "b.jpg", "no area", (1,)),
    Fix("clip_objects", "b.jpg", "over the edge", (0, 2)),
]


def objects():
    boxes = np.array([[-5.0, 2, 8, 9], [3, 3, 3, 6], [4, 4, 30, 12]])
    return Objects((10, 20), ("x", "y", "z"), boxes, names=["1", "2", "3"], extra={"area": np.arange(3.0)})


def test_a_written_file_is_read_back(tmp_path):
    path = tmp_path / "fixes.jsonl"
    write_fixes(path, FIXES)
    fixes, digest = read_fixes(str(path))
    assert fixes.left_out == {"a.jpg": "cut off"}
    assert fixes.ignored == {"t.csv:7"}
    assert (fixes.dropped["b.jpg"], fixes.clipped["b.jpg"]) == ({1}, {0, 2})
    write_fixes(path, FIXES[:1])
    assert read_fixes(str(path))[1] != digest


def test_objects_are_clipped_and_dropped_and_the_rest_stays_together():
    mended = Fixes(FIXES).mend("b.jpg", objects())
    assert mended.labels == ("x", "z")
    assert mended.boxes.tolist() == [[0, 2, 8, 9], [4, 4, 20, 10]]
    assert mended.names == ["1", "3"]
    assert mended.extra["area"].tolist() == [0, 2]
    assert Fixes(FIXES).mend("other.jpg", objects()).labels == ("x", "y", "z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "no json",
        json.dumps({"trainwright": "fixes", "version": 1}) + '\n{"action": "explode", "sample": "a"}',
    ],
)
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "fixes.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match="no file of fixes"):
        read_fixes(str(path))


def test_a_missing_file_is_named_with_its_neighbour(tmp_path):
    write_fixes(tmp_path / "fixes.jsonl", FIXES)
    with pytest.raises(DataError, match=r"did you mean .*fixes\.jsonl"):
        read_fixes(str(tmp_path / "fixe.jsonl"))


def test_left_out_samples_are_in_no_split_and_are_not_bad(make_data, prepared, class_folders, tmp_path):
    root = class_folders()
    (root / "cat" / "0.png").write_bytes(b"")
    write_fixes(
        tmp_path / "fixes.jsonl", [Fix("leave_out", "cat/0.png", "0 bytes"), Fix("leave_out", "gone", "")]
    )
    data = make_data(
        {"name": "folder", "root": str(root)},
        {"image": {"type": "image"}},
        {"label": {"type": "category"}},
        split={"val": 0.25},
        fixes=str(tmp_path / "fixes.jsonl"),
    )
    found = prepared(data)
    assert 0 not in np.concatenate(list(found.splits.values()))
    assert [(item.name, item.reason) for item in found.dropped] == [("cat/0.png", "0 bytes (fixes.jsonl)")]
    assert "1 samples that fixes.jsonl leaves out do not exist" in found.notices
    plain = prepared(
        data.model_copy(
            update={"fixes": None, "on_bad": data.on_bad.model_copy(update={"policy": "skip", "limit": 1.0})}
        )
    )
    assert plain.fingerprint != found.fingerprint


def test_a_sample_that_would_lose_all_of_its_objects_is_left_out():
    class Pictures:
        columns, slow_columns, faults, notices = {"boxes": "objects"}, (), (), ()

        def __len__(self):
            return 3

        def column(self, name):
            return [objects(), objects(), Objects((10, 20), (), np.zeros((0, 4)))]

        def sample_names(self):
            return ["some.jpg", "all.jpg", "none.jpg"]

    fixes = [Fix("drop_objects", "some.jpg", "x", (0, 2)), Fix("drop_objects", "all.jpg", "x", (0, 1, 2))]
    fixed = FixedSource(Pictures(), Fixes(fixes))
    assert [(item.row, item.name) for item in fixed.left_out] == [(1, "all.jpg")]
    assert "1 sample is left out: all objects are faulty" in fixed.notices
    assert [len(item) for item in fixed.column("boxes")] == [1, 0, 0]
