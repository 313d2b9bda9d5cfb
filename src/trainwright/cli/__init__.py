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


def script() -> None:
    """The installed command: `main`, then an end of the process without Python's own clean-up.

    Taking torch apart costs half a second after everything has been written. What must happen at the
    end of a process happens here: exit handlers, and flushing what was printed.
    """
    import atexit
    import os

    code = main()
    if "torch" not in sys.modules:
        sys.exit(code)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
