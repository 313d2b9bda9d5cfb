"""From a command line to one verb, and from any exception to an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from trainwright.cli.overrides import device_overrides, take_overrides
from trainwright.cli.parsing import Parser, UsageError
from trainwright.cli.verbs import EXAMPLES, VERBS, module_of
from trainwright.errors import TrainwrightError, closest

INTERRUPTED = 130
BROKEN_PIPE = 141
_WITH_OVERRIDES = ("train", "continue", "evaluate", "check", "find", "verify", "data", "tune")


def run_command(argv: list[str]) -> int:
    """Runs one command line; every exception becomes a message and an exit code."""
    try:
        code = _dispatch(argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except TrainwrightError as error:
        _tell(error)
        _explain(f"error: {error}")
        return error.exit_code
    except Exception as error:
        _tell(error)
        from trainwright.registry.user_code import own_place

        place = own_place(error)
        _explain(
            f"error: an unexpected {type(error).__name__}: {error}\n"
            + (
                f"  why: raised at {place}, which is no part of trainwright\n"
                "  fix: mend it there; TRAINWRIGHT_TRACEBACK=1 shows what led to it"
                if place
                else "  why: this is most likely a defect of trainwright or of a plugin\n"
                "  fix: run again with TRAINWRIGHT_TRACEBACK=1 to see where it comes from"
            )
        )
        return 1


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        _top_parser().print_help()
        return 0
    if argv[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"trainwright {version('trainwright')}")  # noqa: T201
        return 0
    verb, rest = argv[0], argv[1:]
    if verb not in VERBS:
        near = closest(verb, VERBS)
        raise UsageError(
            f"there is no verb {verb!r}",
            fix=f"did you mean `trainwright {near}`?" if near else "`trainwright --help` lists the verbs",
        )
    module = import_module(module_of(verb))
    command = Parser(
        prog=f"trainwright {verb}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(command)
    add_log_options(command)
    overrides: list[str] = []
    if verb in _WITH_OVERRIDES:
        rest, overrides = take_overrides(rest, command)
    try:
        arguments = command.parse_args(rest)
    except SystemExit as stop:  # it has printed the help
        return stop.code if isinstance(stop.code, int) else 0
    arguments.overrides = [*overrides, *device_overrides(arguments)]
    _prepare_log(arguments)
    with _index(getattr(arguments, "index", None)):
        return _run(module, arguments)


@contextmanager
def _index(place: str | None) -> Iterator[None]:
    """Names the index for one command and the processes that it starts."""
    if not place:
        yield
        return
    before = os.environ.get("TRAINWRIGHT_INDEX")
    os.environ["TRAINWRIGHT_INDEX"] = place
    try:
        yield
    finally:
        if before is None:
            del os.environ["TRAINWRIGHT_INDEX"]
        else:
            os.environ["TRAINWRIGHT_INDEX"] = before


def _run(module: ModuleType, arguments: argparse.Namespace) -> int:
    """Runs a verb. None of ours ends the program by itself, so what does is a component of the user."""
    try:
        return int(module.run(arguments) or 0)
    except SystemExit as stop:
        from trainwright.registry.user_code import exit_error

        raise exit_error(stop) from stop


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """The options that every verb has."""
    group = parser.add_argument_group("messages")
    group.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning or error [TRAINWRIGHT_LOG]")
    group.add_argument(
        "--file-log-level", metavar="LEVEL", help="the same for the run's log.txt [TRAINWRIGHT_FILE_LOG]"
    )


def _prepare_log(arguments: argparse.Namespace) -> None:
    from trainwright import log

    log.configure(arguments.log_level, arguments.file_log_level)
    log.quiet_native()
    log.route_warnings()


def _top_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="trainwright",
        usage="trainwright VERB ...",
        description="One YAML recipe is checked, trained, resumed, evaluated, reported and used.",
        epilog="verbs:\n"
        + "".join(f"  {name:10} {text}\n" for name, text in VERBS.items())
        + "\n"
        + EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    return parser


def _tell(error: BaseException) -> None:
    log = sys.modules.get("trainwright.log")
    if log is not None:
        log.report_error(error)


def _explain(text: str) -> None:
    if os.environ.get("TRAINWRIGHT_TRACEBACK", "") not in ("", "0"):
        import traceback

        traceback.print_exc()
    print(text, file=sys.stderr)  # noqa: T201
