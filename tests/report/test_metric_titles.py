"""Metrics are headed as the field writes them."""

import pytest

from trainwright.report.metric_titles import metric_title


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("loss", "Loss"),
        ("lr", "Learning rate"),
        ("map", "mAP"),
        ("map50", "mAP50"),
        ("map3d", "mAP3d"),
        ("map_bev", "mAP BEV"),
        ("ar_100", "AR 100"),
        ("ar_small", "AR small"),
        ("sigma_mad", "σ MAD"),
        ("pit_ks", "PIT KS"),
        ("r2", "R²"),
        ("f1", "F1"),
        ("top_5_accuracy", "Top 5 accuracy"),
        ("tpr_at_fpr_0.01", "TPR at FPR 0.01"),
        ("iou.RBC", "IoU.RBC"),
        ("loss_box", "Loss box"),
        ("unowned", "Unowned"),
    ],
)
def test_a_key_is_written_as_the_field_writes_it(key: str, title: str) -> None:
    assert metric_title(key) == title
