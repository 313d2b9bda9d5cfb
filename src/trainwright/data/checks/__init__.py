"""What is wrong with data, found before a minute of training is spent on them.

One check a file; each is a function `find(subject)` that yields `Finding`s. A check reads raw values
through the source and stored values as a model gets them, and changes nothing.
"""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "unreadable": "trainwright.data.checks.unreadable:find",
    "files": "trainwright.data.checks.picture_files:find",
    "columns": "trainwright.data.checks.columns:find",
    "gaps": "trainwright.data.checks.gaps:find",
    "classes": "trainwright.data.checks.classes:find",
    "labels": "trainwright.data.checks.labels:find",
    "duplicates": "trainwright.data.checks.duplicates:find",
    "near_duplicates": "trainwright.data.checks.near_duplicates:find",
    "groups": "trainwright.data.checks.groups:find",
    "objects": "trainwright.data.checks.objects:find",
    "masks": "trainwright.data.checks.masks:find",
    "emptiness": "trainwright.data.checks.emptiness:find",
    "numbers": "trainwright.data.checks.numbers:find",
    "series": "trainwright.data.checks.series:find",
}
"""Name, as `data.gate.skip` has it, -> where it lives, in the order of the report."""
