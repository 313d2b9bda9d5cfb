"""The `trainwright` command. Each verb is a file here, imported only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code.

    0 done, 1 failed, 2 something in the input has to change, 130 stopped by Ctrl-C, 143 by SIGTERM.
    """
    from trainwright.cli.entry import run_command

    return run_command(list(sys.argv[1:] if argv is None else argv))
