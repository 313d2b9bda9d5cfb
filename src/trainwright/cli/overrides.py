"""Overrides on a command line: `a.b=value` and `--a.b value`, beside the verb's own options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from trainwright.cli.parsing import UsageError
from trainwright.errors import closest

_ASSIGNMENT = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*=")
_OPTION = re.compile(r"--(?P<key>[A-Za-z_][\w-]*(?:\.[\w-]+)*)(?:=(?P<value>.*))?", re.DOTALL)


def take_overrides(argv: list[str], parser: argparse.ArgumentParser) -> tuple[list[str], list[str]]:
    """Splits a command line into the verb's own part and overrides as `a.b=value`.

    A long option that the verb does not have is an override: `--train.epochs 3`, `--train.epochs=3`, or
    an alias of the recipe, `--train-steps 500`. The first positional argument is the recipe.

    Args:
        argv: Everything behind the verb.
        parser: The verb's parser, to know its own options.

    Returns:
        The rest for the parser, and the overrides in the order given.

    Raises:
        UsageError: An unknown option is nearly one of the verb's, or has no value.
    """
    own = _options(parser)
    rest: list[str] = []
    overrides: list[str] = []
    tokens = iter(argv)
    for token in tokens:
        option = _OPTION.fullmatch(token)
        if token == "--":
            rest += [token, *tokens]
        elif option and f"--{option['key']}" in own:
            rest.append(token)
            if option["value"] is None and own[f"--{option['key']}"].nargs != 0:
                rest += [value for value in [next(tokens, None)] if value is not None]
        elif option:
            overrides.append(f"{option['key']}={_value(option, tokens, own)}")
        elif _ASSIGNMENT.match(token) and not _is_recipe(token, rest):
            overrides.append(token)
        else:
            rest.append(token)
    return rest, overrides


def device_overrides(arguments: argparse.Namespace) -> list[str]:
    """What the options of `cli.common.add_device` stand for."""
    given = {"train.device": "device", "train.wait_minutes": "wait"}
    values = {key: getattr(arguments, option, None) for key, option in given.items()}
    return [f"{key}={value}" for key, value in values.items() if value is not None]


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The parser's options, and those of its actions (`data check --json`)."""
    own = dict(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                own |= _options(inner)
    return own


def _value(option: re.Match[str], tokens: Iterator[str], own: dict[str, argparse.Action]) -> str:
    name = f"--{option['key']}"
    # Without the dashes, which make any two short options look alike; an alias may have any other name.
    guess = closest(name[2:], [option[2:] for option in own]) if "." not in name else None
    near = f"--{guess}" if guess else None
    if near:
        raise UsageError(f"there is no option {name}", fix=f"did you mean {near}?")
    if option["value"] is not None:
        return option["value"]
    value = next(tokens, None)
    if value is None or _OPTION.fullmatch(value):
        raise UsageError(f"{name} has no value", fix=f"{name} VALUE, or {name[2:]}=VALUE")
    return value


def _is_recipe(token: str, rest: list[str]) -> bool:
    """A file name with an equals sign in it, in the place of the recipe."""
    return not any(not item.startswith("-") for item in rest) and token.endswith((".yaml", ".yml"))
