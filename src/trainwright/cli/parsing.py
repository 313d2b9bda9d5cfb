"""argparse with our errors."""

from __future__ import annotations

import argparse
from typing import NoReturn

from trainwright.errors import UserError


class UsageError(UserError):
    """The command line itself is wrong."""


class Parser(argparse.ArgumentParser):
    """Raises our error instead of printing argparse's two lines."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(message, fix=f"`{self.prog} --help` shows what it takes")
