"""Runs the checks on prepared data, or finds what they said about the same data before."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.cache import JsonCache
from trainwright.data.checks import CHECKS
from trainwright.data.checks.finding import Finding, Findings
from trainwright.data.checks.subject import Subject
from trainwright.data.types import PreparedData
from trainwright.errors import RecipeError, closest

VERSION = 11  # raised when a check says something else of the same data


def check_names(skip: Collection[str]) -> None:
    """Raises RecipeError for a name in `data.gate.skip` that is no check."""
    for name in skip:
        if name not in CHECKS:
            near = closest(name, CHECKS)
            raise RecipeError(
                f"there is no check {name!r}",
                where="data.gate.skip",
                why=f"there are {', '.join(CHECKS)}",
                fix=f"did you mean {near!r}?" if near else "",
            )


def run_checks(subject: Subject, skip: Collection[str] = ()) -> Findings:
    """Makes every check that is not skipped.

    Args:
        subject: Prepared data.
        skip: Names of checks that are not made.

    Raises:
        RecipeError: A name in `skip` is no check.
    """
    check_names(skip)
    found: list[Finding] = []
    for name, place in CHECKS.items():
        if name not in skip:
            module, _, function = place.partition(":")
            found += getattr(import_module(module), function)(subject)
    checked = {split: len(rows) for split, rows in subject.splits.items()}
    return Findings.of(found, checked, subject.source.notices)


def checked_before(data: PreparedData, cache_dir: Path, key: dict[str, Any]) -> Findings | None:
    """What the checks said about the same data, as told in `key`; None where nothing is remembered."""
    known = JsonCache(cache_dir / "checks").find(_key(data, key))
    return None if known is None else Findings(known["findings"], known["checked"], notes=known["notes"])


def remember(data: PreparedData, cache_dir: Path, key: dict[str, Any], findings: Findings) -> None:
    """Keeps what the checks said."""
    JsonCache(cache_dir / "checks").store(_key(data, key), findings.as_json())


def _key(data: PreparedData, key: dict[str, Any]) -> dict[str, Any]:
    splits = {
        name: hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()
        for name, rows in data.splits.items()
    }
    columns = {
        column.name: [column.parts, column.is_target, column.processor.cache_key()] for column in data.columns
    }
    return {"version": VERSION, "data": data.fingerprint, "splits": splits, "columns": columns, **key}
