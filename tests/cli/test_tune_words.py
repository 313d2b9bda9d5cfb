"""What `tune show` says of a trial."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace

from trainwright.cli.tune import _why
from trainwright.runs.lock import Owner
from trainwright.tune.trial import Trial, TrialState


def test_a_trial_whose_worker_is_gone_does_not_just_run():
    here = Owner.me()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    gone = replace(here, pid=process.pid)
    running = Trial(0, {}, TrialState.RUNNING, owner=json.dumps(asdict(gone)), lease_until=1e12)
    assert "is gone" in _why(running) and "tune resume" in _why(running)
    assert _why(replace(running, owner=json.dumps(asdict(here)))) == ""
    assert _why(replace(running, state=TrialState.DONE)) == ""
