"""The process that feeds sinks."""

import os
import subprocess
import sys

import pytest

SAYS = """
import os
from trainwright.runs.sinks.process import yield_to_the_training
yield_to_the_training()
print(os.sched_getscheduler(0), os.nice(0))
"""


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="only Linux has a policy for idle cores")
def test_sinks_are_fed_only_where_a_core_is_idle():
    done = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(os.SCHED_IDLE), "19"]
