"""Records of PhysioNet's WFDB format."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from trainwright.data.sniffing.guess import Guess, named_splits, training_rows
from trainwright.data.sources.wfdb import WfdbSource, find_records
from trainwright.data.sources.wfdb_header import read_wfdb_header
from trainwright.wording import counted, with_count

_FEWEST = 20  # beats of a class that is worth learning
_BEAT = 0.7  # seconds around a beat
_PIECE = 2.0  # seconds of a window where nothing is annotated
_SHARES = {"val": 0.15, "test": 0.15}


def detect(path: Path) -> Guess | None:
    """A `.hea` file, or a folder with such files; those with annotations, where any has them."""
    if path.is_dir():
        if not any(path.glob("*.hea")):
            return None
    elif path.suffix.lower() != ".hea":
        return None
    headers = find_records(path)
    marked = [header for header in headers if header.with_suffix(".atr").is_file()]
    notes = [f"{counted(len(headers), 'record')}, {len(marked)} with annotations"]
    chosen = marked or headers
    spec: dict[str, Any] = {"name": "wfdb", "root": str(path)}
    if path.is_dir() and len(chosen) < len(headers):
        spec["records"] = [header.stem for header in chosen]
        notes.append(with_count(len(headers) - len(chosen), "records without annotations are left out"))
    rate = read_wfdb_header(chosen[0]).rate
    if marked:
        return _beats(spec, rate, notes)
    spec |= {"window": max(8, round(_PIECE * rate)), "around": "none", "labels": "none", **_SHARES}
    notes.append("nothing is annotated: there is no target to learn")
    return _guess(spec, {}, notes)


def _beats(spec: dict[str, Any], rate: float, notes: list[str]) -> Guess:
    spec["window"] = max(8, round(_BEAT * rate))
    counts: Counter[str] = Counter(WfdbSource(**_parameters(spec)).column("label"))
    kept = [name for name, count in counts.most_common() if count >= _FEWEST]
    rare = [f"{name} ({count})" for name, count in counts.items() if count < _FEWEST]
    if rare and len(kept) > 1:
        spec["symbols"] = kept
        notes.append(f"beats with fewer than {_FEWEST} examples are left out: {', '.join(rare)}")
    spec |= _SHARES
    target = {"label": {"type": "category"}}
    notes.append(f"{_BEAT:g} seconds around every beat; its symbol is the target")
    return _guess(spec, target, notes)


def _guess(spec: dict[str, Any], targets: dict[str, dict[str, Any]], notes: list[str]) -> Guess:
    source = WfdbSource(**_parameters(spec))
    notes = [*notes, f"splits by time: {named_splits(source.splits())}", *source.notices]
    return Guess(
        spec, {"series": {"type": "series"}}, targets, None, len(source), notes, training_rows(source)
    )


def _parameters(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name != "name"}
