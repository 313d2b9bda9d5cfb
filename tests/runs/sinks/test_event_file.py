"""Event files, against the standard's own numbers and TensorBoard's own messages."""

from __future__ import annotations

import pytest

from trainwright.runs.sinks import event_file


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes(32), 0x8A9136AA),  # RFC 3720, appendix B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_checksum_is_that_of_the_standard(data, expected):
    assert event_file.crc32c(data) == expected


def test_messages_are_read_by_tensorboard():
    messages = pytest.importorskip("tensorboard.compat.proto.event_pb2")
    summary = [event_file.scalar("a/b", 0.25), event_file.text("recipe", "name: x")]
    found = messages.Event.FromString(event_file.event(12.5, 300, summary=summary))
    assert (found.wall_time, found.step) == (12.5, 300)
    assert [value.tag for value in found.summary.value] == ["a/b", "recipe"]
    assert found.summary.value[0].simple_value == 0.25
    assert found.summary.value[1].tensor.string_val == [b"name: x"]
    started = messages.Event.FromString(event_file.event(1.0, 1 << 40, start=True))
    assert started.step == 1 << 40 and started.session_log.status == messages.SessionLog.START


def test_hyperparameters_are_read_by_tensorboard():
    messages = pytest.importorskip("tensorboard.compat.proto.event_pb2")
    plugin = pytest.importorskip("tensorboard.plugins.hparams.plugin_data_pb2")
    values = {"lr": 0.1, "epochs": 3, "compile": True, "name": "mlp"}
    event = messages.Event.FromString(
        event_file.event(1.0, 0, summary=[event_file.session_start(values, "run", 2.0)])
    )
    data = plugin.HParamsPluginData.FromString(event.summary.value[0].metadata.plugin_data.content)
    found = data.session_start_info.hparams
    assert found["lr"].number_value == 0.1 and found["epochs"].number_value == 3
    assert found["compile"].bool_value is True and found["name"].string_value == "mlp"
    assert data.session_start_info.start_time_secs == 2.0


def test_numbers_beyond_float32_are_infinite():
    assert event_file.scalar("x", -1e300).endswith(event_file.scalar("x", float("-inf"))[-4:])
