"""Replaces the shipped tables by the sample components, so that tests do not move with the shipped ones."""

from pathlib import Path

import pytest

from trainwright.registry import source_reading
from trainwright.registry.tables import FOREIGN, TABLES

PARTS = "sample_components.parts:"
SAMPLES = {
    "task": {"supervised": PARTS + "Supervised"},
    "source": {"digits": PARTS + "Digits", "folder": PARTS + "Folder"},
    "processor": {"image": PARTS + "Image", "category": PARTS + "Category", "number": PARTS + "Number"},
    "augment": {"random_crop": PARTS + "Crop", "flip": PARTS + "Flip"},
    "sampler": {"shuffle": PARTS + "Shuffle"},
    "model": {"cnn": PARTS + "cnn"},
    "encoder": {},
    "aggregator": {"sum": PARTS + "total"},
    "loss": {"focal": PARTS + "focal"},
    "metric": {"accuracy": PARTS + "accuracy"},
    "optimizer": {"sgd": "sample_components.optimizers:sgd", "adamw": PARTS + "renamed"},
    "schedule": {"constant": PARTS + "Constant", "cosine": PARTS + "Cosine"},
}


def use_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the sample components in place of the shipped ones."""
    folder = Path(__file__).parent / "sample_components"
    monkeypatch.setitem(source_reading.PACKAGES, "sample_components", folder)
    for kind in TABLES:
        monkeypatch.setitem(TABLES, kind, SAMPLES.get(kind, {}))
    monkeypatch.setitem(FOREIGN, "model", PARTS + "timm_model")
    for kind in ("encoder", "backbone"):
        monkeypatch.delitem(FOREIGN, kind)
