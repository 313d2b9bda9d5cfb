"""The `trainwright` command. Each verb is a file here, imported only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code.

    0 done, 1 failed, 2 something in the input has to change, 130 stopped by Ctrl-C, 143 by SIGTERM.
    """
    try:
        from trainwright.cli.entry import run_command
    except KeyboardInterrupt:  # while the command's own modules are imported
        return _interrupted()
    return run_command(list(sys.argv[1:] if argv is None else argv))


def _interrupted() -> int:
    sys.stderr.write("interrupted\n")
    return 130


def script() -> None:
    """The installed command: `main`, then an end of the process without Python's own clean-up.

    Taking torch apart costs half a second after everything has been written. What must happen at the
    end of a process happens here: exit handlers, and flushing what was printed.
    """
    try:
        import atexit
        import os

        code = main()
        if "torch" not in sys.modules:
            sys.exit(code)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    except KeyboardInterrupt:
        # Also from `run_command`: between two of its lines, or while it tells of an error.
        sys.exit(_interrupted())
