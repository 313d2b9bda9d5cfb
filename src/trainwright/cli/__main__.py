"""`python -m trainwright.cli`."""

from trainwright.cli import script

script()
