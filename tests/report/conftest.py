"""Synthetic run directories."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from trainwright.inference.predictions import write_predictions
from trainwright.inference.vector_columns import category_columns, number_columns
from trainwright.runs.record import Attempt, RunRecord, RunState


class RunMaker:
    """Writes the files that a finished run has; every part can be left out."""

    def __init__(self, path: Path):
        self.path = path
        path.mkdir()
        self.targets: dict[str, dict] = {}
        self.columns: dict[str, dict] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.record = RunRecord("made", "0123456789", state=RunState.DONE, created=0.0, finished=60.0)
        self.record.attempts = [Attempt(1, 0, 1, "here", 0.0, 60.0, RunState.DONE)]

    def category(self, target, classes, probabilities, true, split="test", loss=True):
        own = probabilities[np.arange(len(true)), np.maximum(true, 0)]
        losses = np.where(true >= 0, -np.log(np.maximum(own, 1e-12)), np.nan) if loss else None
        self._add(split, len(true), category_columns(target, classes, probabilities, true=true, loss=losses))
        self.classes[target] = tuple(classes)
        self.targets[target] = {"type": "category", "column": target, "state": {"classes": list(classes)}}
        return self

    def number(self, target, predicted, true, split="test"):
        loss = np.square(np.reshape(predicted - true, (len(true), -1))).mean(1)
        self._add(split, len(true), number_columns(target, predicted, true=true, loss=loss))
        self.targets[target] = {"type": "number", "column": target, "state": {}}
        return self

    def _add(self, split, size, columns):
        table = self.columns.setdefault(split, {"sample": [f"{split}/{row}.png" for row in range(size)]})
        table["row"] = np.arange(size)
        table.update(columns)

    def curves(self, records, attempts=()):
        """Records: (step, attempt, values)."""
        lines = [
            json.dumps(
                {"step": step, "epoch": step // 10 + 1, "attempt": attempt, "time": step, "values": values}
            )
            for step, attempt, values in records
        ]
        (self.path / "metrics.jsonl").write_text("".join(line + "\n" for line in lines))
        self.record.attempts += attempts
        return self

    def write(self):
        for split, columns in self.columns.items():
            folder = self.path / "evaluation" / split
            folder.mkdir(parents=True)
            write_predictions(folder / "predictions.parquet", columns, classes=self.classes)
            (folder / "metrics.json").write_text(json.dumps({"loss": 0.5}))
        (self.path / "processors.json").write_text(json.dumps({"inputs": {}, "targets": self.targets}))
        self.record.save(self.path / "run.json")
        return self.path


class Page(HTMLParser):
    """What a browser would fetch, run or show."""

    FETCHING = ("src", "href", "srcset", "data", "poster", "action", "formaction", "xlink:href", "background")
    EMPTY = ("meta", "input", "img", "br", "hr", "link", "path", "rect", "circle", "image")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.references, self.tags, self.texts, self.open, self.images = [], [], [], [], []
        self.problems = []
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs, closed=False):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in self.FETCHING]
        self.problems += [f"{name} on <{tag}>" for name, _ in attrs if name.startswith("on")]
        if tag == "img":
            self.images.append(dict(attrs)["src"])
        if tag not in self.EMPTY and not closed:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs, closed=True)

    def handle_endtag(self, tag):
        if tag in self.EMPTY:
            return
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture
def make_run(tmp_path):
    return lambda name="made-0123456789": RunMaker(tmp_path / name)


@pytest.fixture
def read_page():
    return lambda path: Page(Path(path).read_text())
