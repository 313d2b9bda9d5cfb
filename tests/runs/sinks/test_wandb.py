"""W&B's own messages are read back from what the sink wrote."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("wandb.proto.wandb_internal_pb2")


WRITE = """
import pickle, sys
from trainwright.runs.sinks.wandb import WandbSink

facts, points, ending = pickle.load(sys.stdin.buffer)
sink = WandbSink()
sink.open(facts, {})
sink.write(points)
sink.finish(ending)
sink.close()
"""


def chunks(data: bytes) -> Iterator[bytes]:
    """Records of a LevelDB log, in which W&B keeps its messages: blocks of 32 KiB, records cut to fit."""
    place, whole = 7, b""
    while place + 7 <= len(data):
        left = (1 << 15) - place % (1 << 15)
        if left < 7:
            place += left
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


def rows(folder: Path) -> tuple[list[dict], dict, dict]:
    """History rows, configuration and summary of the one offline run in a folder."""
    from wandb.proto import wandb_internal_pb2

    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    history, config, summary = [], {}, {}

    def plain(items) -> dict:
        return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}

    for data in chunks(file.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "history":
            history.append(plain(record.history.item))
        elif kind in ("run", "config"):
            config |= plain((record.run.config if kind == "run" else record.config).update)
        elif kind == "summary":
            summary |= plain(record.summary.update)
    return history, config, summary


def test_an_offline_run_holds_everything(facts, points, ending):
    # In a process of its own: W&B changes `sys.exit` and more of the process that it is used in.
    subprocess.run([sys.executable, "-c", WRITE], input=pickle.dumps((facts, points, ending)), check=True)
    history, config, summary = rows(facts.path)
    assert [row["step"] for row in history] == [10, 20, 20]
    assert history[1]["val/accuracy"] == 0.75
    assert (
        history[0]["val/f1[cat]"] in ("NaN", None) or history[0]["val/f1[cat]"] != history[0]["val/f1[cat]"]
    )
    assert config["train.optimizer.lr"] == 0.01 and config["trainwright.salt"] == "0123456789"
    assert summary["final/test/accuracy"] == 0.7
    assert history[2]["figures/learning-curves/format"] == "png"
