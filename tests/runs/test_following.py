"""Following the spool: every record once, in order, whatever the consumer and the file do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.runs.following import Follower, Mark, MarkFile, read_batch
from trainwright.runs.metrics import MetricRecord, read_records
from trainwright.runs.spool import Spool

PATIENCE = 30.0


class Collecting:
    """Keeps records; raises or blocks when told to."""

    def __init__(self, mark: Mark | None = None) -> None:
        self.mark, self.records = mark or Mark(), list[MetricRecord]()
        self.ended = self.broken = False
        self.failures = 0
        self.got, self.failed, self.may_go_on = threading.Event(), threading.Event(), threading.Event()
        self.may_go_on.set()

    def remembered(self) -> Mark:
        return self.mark

    def take(self, records: Sequence[MetricRecord], mark: Mark) -> None:
        self.got.set()
        self.may_go_on.wait()
        if self.broken:
            self.failures += 1
            self.failed.set()
            raise ConnectionError("nobody answers")
        self.records += records
        self.mark = mark

    def end(self) -> None:
        self.ended = True

    @property
    def steps(self) -> list[int]:
        return [record.step for record in self.records]


def write(path: Path, steps: Sequence[int], attempt: int = 1) -> None:
    with Spool(path, attempt=attempt) as spool:
        for step in steps:
            spool.log(step, 0, {"loss": step / 8})


def follow(path: Path, consumer: Collecting, interval: float = 0.01) -> Follower:
    return Follower(path, consumer, name="collector", interval=interval).start()


def test_everything_is_handed_over_and_the_consumer_is_told_the_end(tmp_path):
    path, consumer = tmp_path / "m", Collecting()
    follower = follow(path, consumer)  # before there is a file
    write(path, range(1, 6))
    assert follower.close(PATIENCE) and follower.complete and consumer.ended
    assert consumer.records == list(read_records(path))
    assert follower.behind() == 0


@given(cuts=st.lists(st.integers(0, 2000), max_size=8), block=st.integers(1, 400))
def test_a_file_that_grows_by_any_pieces_gives_each_record_once(tmp_path_factory, cuts, block):
    folder = tmp_path_factory.mktemp("grow")
    write(folder / "whole", range(12))
    data = (folder / "whole").read_bytes()
    mark, found = Mark(), list[MetricRecord]()
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        (folder / "m").write_bytes(data[:end])
        while (batch := read_batch(folder / "m", mark, block=block))[0]:
            found += batch[0]
            mark = batch[1]
    assert found == list(read_records(folder / "whole"))
    assert mark.offset == len(data)


def test_a_torn_line_that_is_cut_by_the_next_attempt_is_never_seen(tmp_path):
    path = tmp_path / "m"
    write(path, [1, 2])
    with path.open("ab") as file:
        file.write(b'{"step":3,"ep')
    first, mark = read_batch(path, Mark())
    write(path, [2, 3], attempt=2)
    second, _ = read_batch(path, mark)
    assert [(item.step, item.attempt) for item in [*first, *second]] == [(1, 1), (2, 1), (2, 2), (3, 2)]


def test_zeros_of_a_power_cut_wait_until_the_spool_has_cut_them(tmp_path):
    path = tmp_path / "m"
    write(path, [1])
    with path.open("ab") as file:
        file.write(b"\0" * 30 + b"\n")
    first, mark = read_batch(path, Mark())
    write(path, [2])
    second, _ = read_batch(path, mark)
    assert [item.step for item in [*first, *second]] == [1, 2]


def test_a_damaged_line_is_passed_over_with_a_warning(tmp_path, caplog):
    path = tmp_path / "m"
    write(path, [1, 2, 3])
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"{broken", lines[2], b""]))
    with caplog.at_level(logging.WARNING, logger="trainwright"):
        records, _ = read_batch(path, Mark())
    assert [item.step for item in records] == [1, 3]
    assert f"byte {len(lines[0]) + 1}" in caplog.text


@pytest.mark.parametrize("content", ["shorter", "other"])
def test_another_file_of_the_name_is_read_from_its_beginning(tmp_path, content):
    path = tmp_path / "m"
    write(path, range(100, 110))
    _, mark = read_batch(path, Mark())
    path.unlink()
    write(path, [1] if content == "shorter" else range(200, 240))
    records, _ = read_batch(path, mark)
    assert records[0].step == (1 if content == "shorter" else 200)


def test_a_later_process_goes_on_where_the_mark_stands(tmp_path):
    path = tmp_path / "m"
    write(path, [1, 2])
    first = Collecting()
    assert follow(path, first).close(PATIENCE)
    MarkFile(tmp_path / "mark.json").write(first.mark)
    write(path, [2, 3], attempt=2)
    second = Collecting(MarkFile(tmp_path / "mark.json").read())
    assert follow(path, second).close(PATIENCE)
    assert [(item.step, item.attempt) for item in second.records] == [(2, 2), (3, 2)]


@pytest.mark.parametrize("content", [None, "", "[]", '{"offset": "x", "digest": ""}'])
def test_a_mark_that_cannot_be_read_is_the_beginning(tmp_path, content):
    path = tmp_path / "mark.json"
    if content is not None:
        path.write_text(content)
    assert MarkFile(path).read() == Mark()


def test_a_consumer_that_raises_is_given_the_batch_again(tmp_path, caplog):
    path, consumer = tmp_path / "m", Collecting()
    write(path, range(5))
    consumer.broken = True
    with caplog.at_level(logging.WARNING, logger="trainwright"):
        follower = follow(path, consumer)
        assert consumer.failed.wait(PATIENCE)
        assert isinstance(follower.error, ConnectionError) or consumer.failures
        consumer.broken = False
        assert follower.close(PATIENCE)
    assert consumer.steps == list(range(5))
    assert caplog.text.count("nobody answers") == 1


def test_a_dead_consumer_does_not_hold_up_the_end(tmp_path):
    path, consumer = tmp_path / "m", Collecting()
    write(path, range(5))
    consumer.broken = True
    follower = follow(path, consumer)
    assert not follower.close(PATIENCE)
    assert not follower.complete and consumer.steps == [] and not consumer.ended
    assert follower.behind() == path.stat().st_size
    assert consumer.failures <= 4


def test_a_consumer_that_hangs_is_left_behind_and_catches_up_later(tmp_path):
    path, consumer = tmp_path / "m", Collecting()
    write(path, range(5))
    consumer.may_go_on.clear()
    follower = follow(path, consumer)
    assert consumer.got.wait(PATIENCE)
    assert not follower.close(0.01)
    again = Collecting(consumer.mark)
    assert follow(path, again).close(PATIENCE)
    assert again.steps == list(range(5))
    consumer.may_go_on.set()
