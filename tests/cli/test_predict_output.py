"""The format that predict writes."""

from __future__ import annotations

import pytest

from trainwright.cli.parsing import UsageError
from trainwright.cli.predict import format_of


@pytest.mark.parametrize(
    ("output", "given", "expected"),
    [
        ("-", None, "csv"),
        ("-", "json", "json"),
        ("a.json", None, "json"),
        ("a.PARQUET", None, "parquet"),
        ("a.txt", "csv", "csv"),
        ("a.jsonl", "jsonl", "jsonl"),
    ],
)
def test_format(output, given, expected):
    assert format_of(output, given) == expected


@pytest.mark.parametrize(("output", "given"), [("a.txt", None), ("a", None), ("a.csv", "json")])
def test_format_that_cannot_be_meant(output, given):
    with pytest.raises(UsageError):
        format_of(output, given)


def test_wrong_output_is_told_before_anything_is_read(command):
    answer = command("predict", "no-run", "no-file", "-o", "a.txt")
    assert answer.code == 2 and "cannot tell a format" in answer.err


def test_an_output_that_cannot_be_written_is_told_before_anything_is_read(command, tmp_path):
    answer = command("predict", "no-run", "no-file", "-o", str(tmp_path / "no" / "a.csv"))
    assert answer.code == 2 and "there is no such folder" in answer.err and "untouched" not in answer.err
