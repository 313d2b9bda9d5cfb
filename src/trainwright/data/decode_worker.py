"""A process that decodes: started by `DecodePool`, it reads orders on stdin and answers on stdout.

Both are lines of JSON. The first order names the processors and how reads are repeated; each further one is
a piece: items of one column, and where in the output file their stored values go. The end of stdin ends the
process, so it never outlives its parent. It imports NumPy and the processors it is told to, and no torch.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from trainwright.data.encoding import encode_rows, write_rows
from trainwright.data.retry import Retry
from trainwright.data.types import Beside, Processor, RawFile


def main() -> None:
    """Decodes until stdin ends."""
    # Ctrl-C reaches the whole process group; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # a print of a user's processor must not land among the answers
    orders = sys.stdin.buffer
    settings = json.loads(orders.readline())
    retry = Retry(**settings["retry"])
    columns = {name: _Column(order, retry) for name, order in settings["columns"].items()}
    _answer(answers, {"ready": os.getpid()})
    for line in orders:
        piece = json.loads(line)
        before = retry.repeated
        answer = columns[piece["column"]].decode(piece)
        _answer(answers, {"id": piece["id"], "repeated": retry.repeated - before, **answer})
    sys.stderr.flush()
    os._exit(0)  # there is nothing to tidy up, which takes the interpreter longer than it takes to start


class _Column:
    """One column's processor, and the form and place of its stored values."""

    def __init__(self, order: dict[str, Any], retry: Retry) -> None:
        self._retry = retry
        module, _, attribute = order["target"].partition(":")
        kind = getattr(importlib.import_module(module), attribute)
        self._processor: Processor = kind.from_state(order["state"])
        self._shape, self._dtype = order["shape"], order["dtype"]
        self._output: int | None = order["output"]

    def decode(self, piece: dict[str, Any]) -> dict[str, Any]:
        """Decodes a piece, writes it, and says which of its items are bad."""
        items = piece["items"]
        stored, bad = encode_rows(
            self._processor,
            _raw_files(items, piece["archive"]),
            len(items),
            self._shape,
            self._dtype,
            self._retry,
        )
        try:
            if self._output is not None:
                write_rows(self._output, stored, piece["offset"])
        except OSError as error:
            return {"bad": [], "error": str(error)}
        return {"bad": bad}


def _raw_files(items: list[Any], archive: str | None) -> Iterator[RawFile | Beside]:
    return (_raw_file(item, archive) for item in items)


def _raw_file(item: Any, archive: str | None) -> RawFile | Beside:
    if isinstance(item, list) and len(item) == 2:
        return RawFile(*item)
    if isinstance(item, list):
        return Beside(RawFile(*item[:2]), RawFile(*item[2:]))
    return RawFile(item) if archive is None else RawFile(archive, item)


def _answer(answers: Any, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
