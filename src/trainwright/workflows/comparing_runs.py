"""Comparing runs: recipes, curves, and final metrics with paired tests where they can be had."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from trainwright.metrics import bootstrap, paired
from trainwright.report.comparison import Against, Comparison, GroupValue
from trainwright.runs.atomic import write_text
from trainwright.runs.comparing import (
    RunGroup,
    groups_of,
    other_data,
    other_split,
    read_compared,
    recipe_differences,
)
from trainwright.runs.convergence import KIND
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.curves import read_curves
from trainwright.workflows.pairing_samples import (
    NO_MEAN,
    NOT_KEPT,
    SplitAnswers,
    other_samples,
    read_answers,
)

Answers = Sequence[Sequence[SplitAnswers | None]]
_TRAINING = ("train/", "step/", "saved/")
_NOTES = (
    "The first is what the others are compared to. Intervals are of 95 %, over samples (paired bootstrap); "
    "p is two-sided: McNemar's exact test of right and wrong answers, else a permutation test of the values "
    "per sample (of squared errors for rmse). The adjusted p allows for the number of comparisons (Holm).",
    "A test over samples tells whether these trained models differ. Whether their recipes do, only several "
    "seeds of each can tell; fewer than four of each cannot reach p < 0.05.",
)


def compare_runs(runs: Sequence[RunDirectory], runs_dir: str | os.PathLike[str]) -> Comparison:
    """Compares runs, those of one recipe but for the seed as one.

    Args:
        runs: At least two.
        runs_dir: Whose index may have their curves.

    Raises:
        UserError: There are fewer than two.
        RunError: A file of a run is damaged.
    """
    groups = groups_of([read_compared(run) for run in runs])
    members = [item.run for group in groups for item in group.runs]
    curves = iter(read_curves(members, runs_dir))
    return Comparison(
        groups={name: [item.run.id for item in group.runs] for name, group in _named(groups).items()},
        recipe=recipe_differences(groups),
        metrics=compared_metrics(groups),
        curves=[[next(curves) for _ in group.runs] for group in groups],
        notes=_NOTES,
    )


def write_comparison(comparison: Comparison, path: Path) -> Path:
    """Writes the page. Raises StorageError."""
    from trainwright.report.comparison_page import render_comparison

    write_text(path, render_comparison(comparison))
    return path


def compared_metrics(groups: Sequence[RunGroup]) -> dict[str, list[GroupValue]]:
    """`<split>/<metric>` -> value in each group, in the order in which runs have them."""
    keys = list(dict.fromkeys(key for group in groups for item in group.runs for key in item.metrics))
    # A run that was not evaluated has last values of its training, which are no measure of it.
    scored = [key for key in keys if "/" in key and not key.startswith((*_TRAINING, f"{KIND}/"))]
    keys = [*scored, *(key for key in keys if key.startswith(f"{KIND}/"))] if scored else keys
    answers: dict[str, Answers] = {}
    found = {}
    for key in keys:
        split, _, metric = key.partition("/")
        if split not in answers:
            answers[split] = [[read_answers(item, split) for item in group.runs] for group in groups]
        found[key] = _values(groups, key, metric, split, answers[split])
    return found


def _named(groups: Sequence[RunGroup]) -> dict[str, RunGroup]:
    """Groups by name, numbered where two have the same."""
    found: dict[str, RunGroup] = {}
    for group in groups:
        name, number = group.name, 2
        while name in found:
            name, number = f"{group.name} #{number}", number + 1
        found[name] = group
    return found


def _values(
    groups: Sequence[RunGroup], key: str, metric: str, split: str, answers: Answers
) -> list[GroupValue]:
    values = []
    for place, group in enumerate(groups):
        numbers = group.values(key)
        mean = float(np.mean(numbers)) if numbers else None
        spread = float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None
        against = None
        if place:
            against = _against(groups[0], group, key, metric, split, answers[0], answers[place])
        values.append(GroupValue(numbers, mean, spread, _interval(metric, answers[place]), against))
    tested = [place for place, value in enumerate(values) if value.against and value.against.p is not None]
    adjusted = paired.holm([_p(values[place]) for place in tested])
    for place, p in zip(tested, adjusted, strict=True):
        old = values[place].against
        assert old is not None
        values[place] = replace(values[place], against=replace(old, p_adjusted=p))
    return values


def _p(value: GroupValue) -> float:
    assert value.against is not None and value.against.p is not None
    return value.against.p


def _interval(metric: str, answers: Sequence[SplitAnswers | None]) -> tuple[float, float] | None:
    known = [answer for answer in answers if answer is not None and metric in answer.scores]
    if len(known) < len(answers) or any(other_samples(known[0], other) for other in known[1:]):
        return None
    means = _resampled(metric, known)
    return None if means is None else bootstrap.interval(means.mean(axis=1))


def _resampled(metric: str, answers: Sequence[SplitAnswers]) -> np.ndarray | None:
    """The metric of every run `[R, M]` on resamples that all runs share; None without a common sample."""
    columns = np.stack([answer.scores[metric].values for answer in answers], axis=1)
    kept = columns[np.isfinite(columns).all(axis=1)]
    if not len(kept):
        return None
    found: np.ndarray = answers[0].scores[metric].of_mean(bootstrap.resample_means(kept))
    return found


def _against(
    first: RunGroup,
    group: RunGroup,
    key: str,
    metric: str,
    split: str,
    left: Sequence[SplitAnswers | None],
    right: Sequence[SplitAnswers | None],
) -> Against:
    reason = _not_comparable(first, group, key, metric, split, left, right)
    if reason:
        return Against(reason=reason)
    before, after = first.values(key), group.values(key)
    difference = float(np.mean(after) - np.mean(before))
    p_seeds = paired.group_permutation(before, after)
    if key.startswith(f"{KIND}/"):
        return Against(difference, p_seeds=p_seeds, reason=NO_MEAN)
    known = [answer for answer in (*left, *right) if answer is not None]
    if len(known) < len(left) + len(right):
        return Against(difference, p_seeds=p_seeds, reason=NOT_KEPT)
    if any(metric not in answer.scores for answer in known):
        return Against(difference, p_seeds=p_seeds, reason=NO_MEAN)
    means = _resampled(metric, known)
    if means is None:
        return Against(difference, p_seeds=p_seeds, reason="no sample has a truth")
    gaps = means[:, len(left) :].mean(axis=1) - means[:, : len(left)].mean(axis=1)
    values = [answer.scores[metric].values for answer in known]
    p = _paired_p(np.mean(values[: len(left)], axis=0), np.mean(values[len(left) :], axis=0))
    return Against(difference, bootstrap.interval(gaps), p, p_seeds=p_seeds)


def _paired_p(before: np.ndarray, after: np.ndarray) -> float:
    kept = np.isfinite(before) & np.isfinite(after)
    gaps = (after - before)[kept]
    if np.isin(gaps, (-1.0, 0.0, 1.0)).all():
        return paired.sign_test(int((gaps < 0).sum()), int((gaps > 0).sum()))
    return paired.signed_permutation(gaps)


def _not_comparable(
    first: RunGroup,
    group: RunGroup,
    key: str,
    metric: str,
    split: str,
    left: Sequence[SplitAnswers | None],
    right: Sequence[SplitAnswers | None],
) -> str:
    """Why a number would mislead, in words; empty where it does not."""
    for item in (*first.runs, *group.runs):
        if key not in item.metrics:
            return f"other metric: {item.run.id} has no {key}"
    one, other = first.runs[0], group.runs[0]
    if told := other_data(one, other):
        return told
    answers = [answer for answer in (*left, *right) if answer is not None]
    if len(answers) == len(left) + len(right):
        if told := next(filter(None, (other_samples(answers[0], item) for item in answers[1:])), ""):
            return f"{other_split(one, other, split)}; {told}".removeprefix("; ")
    elif told := other_split(one, other, split):
        return told
    return _other_loss(first, group) if metric.rpartition("/")[2] == "loss" else ""


def _other_loss(first: RunGroup, group: RunGroup) -> str:
    losses = [
        {
            name: {part: column.get(part) for part in ("loss", "class_weights", "weight")}
            for name, column in item.runs[0].recipe.get("data", {}).get("targets", {}).items()
        }
        for item in (first, group)
    ]
    return "other metric: the recipes have other losses" if losses[0] != losses[1] else ""
