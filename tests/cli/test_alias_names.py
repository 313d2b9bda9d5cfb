"""An alias cannot have the name of an option, which would come first."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module

from trainwright.cli.entry import _WITH_OVERRIDES, add_log_options
from trainwright.cli.overrides import _options
from trainwright.cli.verbs import module_of
from trainwright.recipe.validating import COMMAND_OPTIONS


def test_reserved_names_are_the_options_of_verbs_with_overrides():
    names: set[str] = set()
    for verb in _WITH_OVERRIDES:
        parser = ArgumentParser()
        import_module(module_of(verb)).add_arguments(parser)
        add_log_options(parser)
        names |= {option[2:] for option in _options(parser) if option.startswith("--")}
    assert names == COMMAND_OPTIONS
