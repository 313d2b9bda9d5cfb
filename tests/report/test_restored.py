"""The analysis of restored pictures, by hand, and its page."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainwright.report.build import build_report
from trainwright.report.restored import analyse_restored


@pytest.fixture
def columns():
    psnr = np.array([30.0, 22.0, 27.0, *np.linspace(31, 40, 9)])
    return {
        "sample": [f"{row}.png" for row in range(12)],
        "row": np.arange(12),
        "clean_psnr": psnr,
        "clean_ssim": np.linspace(0.8, 0.91, 12),
        "clean_loss": 1 / psnr,
    }


def test_means_and_worst_pictures_by_hand(columns):
    [result] = analyse_restored("clean", columns, stem="test-clean")
    assert result.total == 12
    assert result.psnr == pytest.approx((79 + 9 * 35.5) / 12)
    assert result.ssim == pytest.approx(0.855)
    assert (result.lowest, result.highest) == (22, 40)
    assert [m.row for m in result.mistakes][:3] == [1, 2, 0] and len(result.mistakes) == 8
    assert result.psnr_interval.low < result.psnr < result.psnr_interval.high
    [bars] = result.charts[0].marks
    assert bars.heights.sum() == 12


def test_a_page_with_strips_of_pictures(make_run, columns):
    run = make_run()
    run.columns["test"] = columns
    run.targets["clean"] = {"type": "image", "column": "clean", "state": {}}
    path = run.write()
    asked = []

    def strip(row):
        asked.append(row)
        return np.zeros((80, 3 * 100, 3), dtype=np.uint8)

    page = build_report(path, picture=strip).read_text()
    assert "Signal-to-noise ratio" in page and "What went in, what came out" in page
    assert page.count("data:image/jpeg") == 8 == len(asked)
    told = json.loads((path / "report.json").read_text())["splits"]["test"]["targets"]["clean"]
    assert told["type"] == "image" and told["worst"][0] == {"sample": "1.png", "row": 1, "psnr": 22.0}
    assert "Decibels" in build_report(path).read_text()


def test_an_empty_split_has_no_section():
    empty = {"sample": [], "clean_psnr": np.zeros(0), "clean_ssim": np.zeros(0)}
    assert analyse_restored("clean", empty, stem="x") == []
