"""Writing predictions as CSV, JSON or Parquet, to a file or to a pipe."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainwright.cli.parsing import UsageError
from trainwright.runs.atomic import write_bytes

FORMATS = ("csv", "json", "parquet")


def format_of(output: str, given: str | None) -> str:
    """The format to write: as asked, else by the output's suffix, else CSV.

    Raises:
        UsageError: The suffix is of no known format, or contradicts the one asked for.
    """
    suffix = Path(output).suffix.lower().lstrip(".") if output != "-" else ""
    if given:
        if suffix in FORMATS and suffix != given:
            raise UsageError(f"--format {given} contradicts --output {output}")
        return given
    if not suffix:
        return "csv"
    if suffix not in FORMATS:
        raise UsageError(f"cannot tell a format from {output}", fix=f"end it in .{', .'.join(FORMATS)}")
    return suffix


def write_answers(answers: Sequence[Mapping[str, Any]], output: str, form: str) -> None:
    """Writes all answers; a file is replaced only as a whole. Raises StorageError."""
    data = {"csv": _csv, "json": _json, "parquet": _parquet}[form](answers)
    if output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(output, data)


def flat(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings as `target/key` columns: `label/probabilities` of three classes gives three columns."""
    columns: dict[str, Any] = {}
    for key, value in answer.items():
        if isinstance(value, Mapping):
            columns.update({f"{key}/{inner}": item for inner, item in flat(value).items()})
        else:
            columns[key] = value
    return columns


def _csv(answers: Sequence[Mapping[str, Any]]) -> bytes:
    rows = [
        {
            key: json.dumps(value) if isinstance(value, list | tuple) else value
            for key, value in flat(a).items()
        }
        for a in answers
    ]
    columns = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(answers: Sequence[Mapping[str, Any]]) -> bytes:
    return (json.dumps(list(answers), indent=1, ensure_ascii=False) + "\n").encode()


def _parquet(answers: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([flat(answer) for answer in answers]), sink)
    return bytes(sink.getvalue().to_pybytes())
