"""Making the index anew, and what is done where it is damaged or cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trainwright.errors import RunError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.database import IndexUnavailable
from trainwright.runs.index.syncing import bring_up_to_date, is_runs_folder, open_index, rebuild

Runs = list[RunDirectory]


def contents(place: str, runs_dir: Path) -> dict[str, object]:
    index = open_index(place, runs_dir)
    found: dict[str, object] = {
        id: (
            *index.rows([entry.number]).values(),
            index.mark(entry.number),
            index.series(entry.number),
            index.all_last_values([entry.number]).values(),
        )
        for id, entry in index.entries().items()
    }
    index.close()
    return {id: str(value) for id, value in found.items()}


def test_made_anew_it_holds_the_same(place: str, runs_dir: Path, many_runs: Runs) -> None:
    assert bring_up_to_date(place, runs_dir) == len(many_runs)
    before = contents(place, runs_dir)
    index = open_index(place, runs_dir)
    index.database.change("DELETE FROM metrics")
    index.close()
    assert contents(place, runs_dir) != before
    assert rebuild(place, runs_dir) == len(many_runs)
    assert contents(place, runs_dir) == before


def test_every_curve_equals_its_spool(place: str, runs_dir: Path, many_runs: Runs) -> None:
    bring_up_to_date(place, runs_dir)
    index = open_index(place, runs_dir)
    for id, entry in index.entries().items():
        run = RunDirectory(runs_dir / id)
        assert index.series(entry.number) == run.metrics() != {}
        assert index.mark(entry.number).offset == run.metrics_file.stat().st_size
    index.close()


def test_a_spool_that_was_replaced_is_read_from_its_beginning(
    place: str, runs_dir: Path, many_runs: Runs
) -> None:
    bring_up_to_date(place, runs_dir)
    run = many_runs[5]
    lines = run.metrics_file.read_text().splitlines(keepends=True)
    run.metrics_file.write_text(lines[1])
    bring_up_to_date(place, runs_dir)
    index = open_index(place, runs_dir)
    assert index.series(index.numbers([run.id])[run.id]) == {"train/loss": [(20, 0.5)]}
    index.close()


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0 and then nothing that is of any use" * 100])
def test_a_damaged_file_is_told_and_made_anew(
    runs_dir: Path, make_run: Callable[..., RunDirectory], damage: bytes
) -> None:
    make_run()
    place = str(runs_dir / ".index.sqlite")
    rebuild(place, runs_dir)
    Path(place).write_bytes(damage)
    if damage:
        with pytest.raises(IndexUnavailable, match="--rebuild"):
            bring_up_to_date(place, runs_dir)
    assert rebuild(place, runs_dir) == 1


def test_a_file_that_is_no_index_is_not_removed(
    runs_dir: Path, make_run: Callable[..., RunDirectory]
) -> None:
    make_run()
    place = runs_dir / "precious.txt"
    place.write_text("my notes, which are long enough to be taken for a database" * 20)
    with pytest.raises(RunError, match="no index"):
        rebuild(str(place), runs_dir)
    assert place.read_text().startswith("my notes")


def test_the_file_that_bears_our_name_is_made_anew_whatever_is_in_it(
    runs_dir: Path, make_run: Callable[..., RunDirectory]
) -> None:
    make_run()
    (runs_dir / ".index.sqlite").write_bytes(bytes(range(256)) * 12)
    assert rebuild(str(runs_dir / ".index.sqlite"), runs_dir) == 1


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_neither_opened_nor_removed(
    runs_dir: Path, make_run: Callable[..., RunDirectory], kind: str
) -> None:
    make_run()
    place = runs_dir.parent / kind
    os.mkfifo(place) if kind == "pipe" else place.mkdir()
    with pytest.raises(IndexUnavailable, match="an index is a file"):
        open_index(str(place), runs_dir)
    with pytest.raises(RunError, match="no index"):
        rebuild(str(place), runs_dir)
    assert place.is_fifo() if kind == "pipe" else place.is_dir()


@pytest.mark.parametrize(
    ("place", "way_on"),
    [("{}/missing/index.sqlite", "make the folder"), ("postgresql://nobody@127.0.0.1:1/x", "the server")],
)
def test_an_index_that_cannot_be_opened_is_told_with_a_way_that_helps(
    tmp_path: Path, runs_dir: Path, make_run: Callable[..., RunDirectory], place: str, way_on: str
) -> None:
    if place.startswith("postgresql"):
        pytest.importorskip("psycopg")
    make_run()
    with pytest.raises(IndexUnavailable) as caught:
        open_index(place.format(tmp_path), runs_dir)
    assert way_on in caught.value.fix and "--rebuild" not in caught.value.fix


def test_a_folder_without_runs_gets_no_index(tmp_path: Path, make_run: Callable[..., RunDirectory]) -> None:
    assert not is_runs_folder(tmp_path) and not is_runs_folder(tmp_path / "nothing")
    assert is_runs_folder(make_run().path.parent)
