"""The head of the report: the answer, and the facts around it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainwright.metrics.bootstrap import Interval
from trainwright.report.categories import CategoriesResult
from trainwright.report.category import CategoryResult
from trainwright.report.contents import Contents
from trainwright.report.mask import MaskResult
from trainwright.report.number import NumberResult
from trainwright.report.objects import ObjectsResult
from trainwright.report.restored import RestoredResult
from trainwright.report.scales import number_text, percent_text, seconds_text
from trainwright.runs import ledger


@dataclass(frozen=True)
class Answer:
    """How good the run is at one target, in one number.

    Attributes:
        metric: Its name.
        value: As text.
        interval: 95 % bootstrap interval, as text.
        split: Measured on which split.
        samples: How many samples.
        target: Of which target.
        others: Further values, name -> text.
    """

    metric: str
    value: str
    interval: str
    split: str
    samples: int
    target: str
    others: dict[str, str]


def category_answer(split: str, result: CategoryResult) -> Answer:
    """The accuracy."""
    low, high = result.accuracy_interval
    macro = f"{number_text(result.macro_f1, 3)} ({_range(result.macro_f1_interval)})"
    others = {"Macro F1": macro, "Calibration error": number_text(result.calibration.error, 2)}
    if result.auroc == result.auroc:
        others["Mean AUROC"] = f"{result.auroc:.4f}"
    return Answer(
        "Accuracy",
        percent_text(result.accuracy, 2 if result.total >= 1000 else 1),
        f"{100 * low:.1f} to {percent_text(high)}" if result.total else "",
        split,
        result.total,
        result.name,
        others,
    )


def number_answer(split: str, result: NumberResult) -> Answer:
    """The mean absolute error."""
    others = {
        "RMSE": f"{number_text(result.rmse)} ({_range(result.rmse_interval)})",
        "R²": f"{number_text(result.r2, 3)} ({_range(result.r2_interval)})",
        "Bias": number_text(result.bias, 2),
    }
    interval = _range(result.mae_interval)
    return Answer(
        "Mean absolute error", number_text(result.mae), interval, split, result.total, result.name, others
    )


def objects_answer(split: str, result: ObjectsResult) -> Answer:
    """The mean average precision at an overlap of 0.5."""
    others = {
        "Objects": f"{result.objects:,}",
        "Best F1": f"{number_text(result.f1, 3)} at a score of {number_text(result.threshold, 2)}",
    }
    value = number_text(result.mean_precision, 3)
    return Answer("Mean average precision", value, "", split, result.total, result.name, others)


def categories_answer(split: str, result: CategoriesResult) -> Answer:
    """The mean average precision."""
    others = {
        "F1": f"{number_text(result.macro_f1, 3)} (mean over classes)",
        "Every class right": f"{result.exact:,} samples",
    }
    value = number_text(result.mean_precision, 3)
    return Answer("Mean average precision", value, "", split, result.total, result.name, others)


def restored_answer(split: str, result: RestoredResult) -> Answer:
    """The mean signal-to-noise ratio."""
    others = {"Structural similarity": f"{number_text(result.ssim, 3)} ({_range(result.ssim_interval)})"}
    value, interval = f"{number_text(result.psnr, 4)} dB", _range(result.psnr_interval)
    return Answer("Signal-to-noise ratio", value, interval, split, result.total, result.name, others)


def mask_answer(split: str, result: MaskResult) -> Answer:
    """The mean overlap of the classes."""
    others = {"Pixel accuracy": f"{percent_text(result.accuracy)} ({_shares(result.accuracy_interval)})"}
    value, interval = number_text(result.miou, 3), _range(result.miou_interval)
    return Answer("Mean IoU", value, interval, split, result.total, result.name, others)


def _shares(interval: Interval) -> str:
    return f"{percent_text(interval.low)} to {percent_text(interval.high)}"


def _range(interval: Interval) -> str:
    return f"{number_text(interval.low, 3)} to {number_text(interval.high, 3)}"


def facts(contents: Contents) -> Iterator[tuple[str, str]]:
    """What was trained, on what, how far and for how long: pairs of a word and its text."""
    recipe, record = contents.recipe, contents.record
    data = _mapping(recipe.get("data"))
    yield "Model", _component(recipe.get("model"))
    yield "Data", _component(data.get("source"))
    yield "Inputs", _columns(data.get("inputs"))
    yield "Targets", _columns(data.get("targets"))
    yield "Samples", _sizes(contents)
    yield "Optimizer", _component(_mapping(recipe.get("train")).get("optimizer"), "lr")
    yield "Trained", _progress(record.progress)
    yield "Best", _best(contents)
    worked = sum((item.ended or item.started) - item.started for item in record.attempts)
    yield "Time", seconds_text(worked or sum(contents.timings.values()) or None)
    yield "Ended", _ended(contents)


def advice(contents: Contents) -> str:
    """What would make the epochs shorter; empty where nothing stands out."""
    device = str(contents.record.pinned.get("device", "cpu"))
    return ledger.advice(ledger.shares(contents.ledger), contents.recipe, on_device=device != "cpu")


def _ended(contents: Contents) -> str:
    record = contents.record
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.finished)) if record.finished else ""
    reason = record.exit_reason or str(record.state)
    return f"{reason}, {when}" if when else reason


def _best(contents: Contents) -> str:
    best = contents.record.best
    if "step" not in best:
        return ""
    progress = contents.record.progress
    epoch = (
        f"epoch {best['step'] * progress['epoch'] / progress['step']:.3g}, " if progress.get("epoch") else ""
    )
    after = next((line.elapsed for line in contents.ledger if line.step >= best["step"]), None)
    when = "" if after is None else f", {seconds_text(after)}"
    value = f": {best.get('monitor', '')} {number_text(best.get('value'))}" if "value" in best else ""
    return f"{epoch}step {best['step']:,}{when}{value}"


def _progress(progress: Mapping[str, Any]) -> str:
    parts = []
    if progress.get("epoch"):
        parts.append(f"{number_text(float(progress['epoch']), 3)} epochs")
    if isinstance(progress.get("step"), int):
        parts.append(f"{progress['step']:,} steps")
    return ", ".join(parts)


def _sizes(contents: Contents) -> str:
    sizes = split_sizes(contents)
    return ", ".join(f"{size:,} {split}" for split, size in sizes.items())


def split_sizes(contents: Contents) -> dict[str, int]:
    """Number of samples per split, from whichever file tells it."""
    for told in (
        contents.summary.get("sizes"),
        contents.summary.get("splits"),
        contents.record.data.get("sizes"),
    ):
        sizes = {split: size for split, size in _mapping(told).items() if isinstance(size, int)}
        if sizes:
            return sizes
    return {}


def _component(spec: Any, *shown: str) -> str:
    if isinstance(spec, str):
        return spec
    spec = _mapping(spec)
    values = [f"{key} {spec[key]:g}" for key in shown if isinstance(spec.get(key), int | float)]
    return ", ".join([str(spec["name"]), *values]) if "name" in spec else ""


def _columns(columns: Any) -> str:
    return ", ".join(
        f"{name} ({_mapping(column).get('type', '?')})" for name, column in _mapping(columns).items()
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
