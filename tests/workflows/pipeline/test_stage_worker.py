"""The way back from a stage's process."""

from __future__ import annotations

import json
import threading

from trainwright.workflows.pipeline.stage_worker import Answers


class InterruptedFile:
    """A file in whose first write a signal arrives, whose handler says something too."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.handler = lambda: None

    def write(self, line: bytes) -> int:
        handler, self.handler = self.handler, lambda: None
        handler()
        self.lines.append(line)
        return len(line)


def test_a_signal_that_arrives_while_something_is_said_holds_up_nothing():
    file = InterruptedFile()
    answers = Answers(file)
    file.handler = lambda: answers.say("line", text="stopping")
    # On a thread of its own, so that the test fails instead of waiting for ever.
    thread = threading.Thread(target=answers.say, args=("line",), kwargs={"text": "epoch 1"}, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert [json.loads(line)["text"] for line in file.lines] == ["stopping", "epoch 1"]
