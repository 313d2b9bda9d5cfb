"""What the benchmark of boxes in space compares with."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.boxes_in_space import at_the_mean, labelled, scored, told

VAN = np.array([1.0, 0.6, 10, 2, 1.9, 4.6, 0.5])
CRATE = np.array([-4.0, 1.0, 20, 1.2, 1.3, 1.6, -1.0])


def test_a_label_file_is_read_at_the_centres(tmp_path):
    file = tmp_path / "000000.txt"
    file.write_text("van 0.00 0 0.1 1 2 3 4 2.0 1.9 4.6 1.0 1.6 10.0 0.5\n")
    [(label, _, box)] = labelled(file)
    assert label == "van" and box.tolist() == pytest.approx(VAN.tolist())


def test_the_truth_scores_one_and_its_answers_are_read():
    record = {"class": "van", "score": 0.9}
    record["box3d"] = {"centre": VAN[:3].tolist(), "size": VAN[3:6].tolist(), "yaw": VAN[6]}
    found = [told([record]), [("crate", 0.8, CRATE)]]
    values = scored(found, [[("van", 1.0, VAN)], [("crate", 1.0, CRATE)]])
    assert values["map3d"] == pytest.approx(1)
    assert values["depth_error"] == values["size_error"] == values["yaw_error"] == pytest.approx(0)


def test_the_mean_stays_on_the_ray():
    near, far = VAN.copy(), VAN * [1, 1, 1, 1, 1, 1, -1]
    near[2], far[2] = 8, 16
    learned = [[("van", 1.0, near), ("van", 1.0, far), ("crate", 1.0, CRATE)]]
    [[(label, score, box)]] = at_the_mean([[("van", 0.7, VAN)]], learned)
    assert (label, score) == ("van", 0.7)
    # The mean depth is 12, the headings 0.5 and -0.5 cancel out.
    assert box.tolist() == pytest.approx([1.2, 0.72, 12, 2, 1.9, 4.6, 0])
