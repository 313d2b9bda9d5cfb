"""Works on a study: trials in processes of their own, taken up again wherever they were left."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright.errors import RecipeError, RunError, raise_all
from trainwright.progress import format_metrics
from trainwright.runs.directory import RunDirectory
from trainwright.runs.environment import usable_cores
from trainwright.runs.lock import Owner
from trainwright.runs.record import RunState
from trainwright.tune.curve import Report
from trainwright.tune.section import asked_for
from trainwright.tune.trial import Trial, TrialState
from trainwright.wording import counted
from trainwright.workflows.objectives import refuse_unreported
from trainwright.workflows.quiet import Quiet
from trainwright.workflows.studies import OpenStudy, escaped, told_point
from trainwright.workflows.trial_process import TrialProcess

LEASE = 30.0
"""Seconds without a sign of life after which a trial is given to another process."""

_MOST_DEATHS = 5
_HELD_PAUSE = 2.0
_POLL = 0.5


@dataclass
class TuneResult:
    """How a call ended.

    Attributes:
        finished: Every trial that was to be made has ended.
        reason: Why it stopped before that, in words.
        counts: Trials by state.
    """

    finished: bool
    reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)


class Tuning:
    """One coordinator.

    Args:
        opened: The study.
        runs_dir: Where the trials' runs live.
        jobs: Trials at a time.
        say: Told what happens, a line at a time.
        stop: True when it is asked to stop.
        lease: Seconds without a sign of life after which a trial is given to another process.
        seconds: Time, from the first trial on, after which it stops; None for no limit.
    """

    def __init__(
        self,
        opened: OpenStudy,
        *,
        runs_dir: str | Path,
        jobs: int = 1,
        say: Callable[[str], None] = lambda _line: None,
        stop: Any = False,
        lease: float = LEASE,
        seconds: float | None = None,
    ) -> None:
        self._opened, self._store = opened, opened.store
        self._runs_dir, self._jobs, self._say, self._stop = Path(runs_dir), jobs, say, stop
        self._lease = lease
        self._seconds, self._deadline = seconds, float("inf")
        self._owner = json.dumps(asdict(Owner.me()))
        self._threads = max(1, usable_cores() // jobs)
        given = opened.base["train"].get("threads") is not None
        self._share = None if given else self._threads
        self._processes: list[TrialProcess] = []
        self._metrics = self._watched()
        self._quiet = Quiet()
        self._held: dict[int, float] = {}
        self._reason = ""
        place = opened.place
        self._log = (self._runs_dir / "study.log") if "://" in place else Path(f"{place}.log")

    def run(self) -> TuneResult:
        """Works until every trial has ended, or something asks it to stop.

        Raises:
            RecipeError: The recipe cannot be trained, or no run reports an objective.
        """
        try:
            self._take_over()
            self._begin()
            if self._seconds is not None:
                self._deadline = time.monotonic() + self._seconds
            while not self._done():
                self._step()
        finally:
            for process in self._processes:
                process.kill()
                if process.trial is not None:
                    self._store.release(process.trial.number, process.trial.token, "stopped at once")
        trials = self._store.trials()
        counts = {str(state): sum(t.state is state for t in trials) for state in TrialState}
        return TuneResult(self._opened.study.finished(), self._reason, {k: n for k, n in counts.items() if n})

    def _take_over(self) -> None:
        """Frees the trials of coordinators that are provably dead, without waiting for their leases.

        Trials whose run was finished by hand since are taken up too: their results are only read.
        """
        for trial in self._store.trials():
            if trial.state is TrialState.RUNNING and is_dead(trial.owner):
                self._store.release(trial.number, trial.token, "its coordinator died")
            elif trial.state in (TrialState.PAUSED, TrialState.STOPPED) and _is_done(trial.run):
                taken = self._store.go_on(trial.number, self._owner, self._lease, trial.state)
                if taken is not None:
                    self._store.release(trial.number, taken.token, "its run was finished since")

    def _begin(self) -> None:
        """Says what is searched; sees whether the recipe can be trained where no trial has shown it yet."""
        trials, size = self._store.trials(), self._opened.study.size
        of = f" of {size}" if size is not None else ""
        ended = sum(trial.state.ended for trial in trials)
        search, jobs = self._opened.tune.search["name"], counted(self._jobs, "trial")
        self._say(f"{search}: {ended}{of} trials have ended, {jobs} at a time")
        others = {trial.threads for trial in trials} - {None, self._share}
        if self._share is not None and others:
            told = " and ".join(map(str, sorted(filter(None, others))))
            self._say(
                f"trials so far have {told} compute threads, new ones {self._share}: "
                "equal points need not have equal bits, and latencies are not alike"
            )
        if not any(trial.state is TrialState.DONE for trial in trials):
            self._say("looking whether the recipe can be trained and reports the objectives")
            with recipes.located(self._opened.loaded):
                self._check()

    def _check(self) -> None:
        """Trains nothing: builds the recipe's model and asks which metrics its runs report."""
        how = ""
        for _ in range(_MOST_DEATHS):
            process = self._start(0)
            process.send({"kind": "check", "recipe": escaped(self._opened.base)})
            names = self._names(process)
            if names is not None:
                refuse_unreported(asked_for(self._opened.loaded.recipe), names)
            if names is not None or self._stop:
                return
            how = process.how_it_ended()
            process.kill()
            self._processes.remove(process)
        raise RunError("the recipe could not be checked", why=how, where=str(self._log))

    def _names(self, process: TrialProcess) -> set[str] | None:
        """What a process found that runs report; None where it died, or a stop was asked for."""
        while not self._stop:
            select.select([process], [], [], _POLL)
            answers, ended = process.answers()
            for answer in answers:
                if answer["kind"] == "refused":
                    raise_all([RecipeError(parts.pop("what"), **parts) for parts in answer["errors"]])
                return set(answer["names"])
            if ended:
                return None
        return None

    def _start(self, index: int) -> TrialProcess:
        process = TrialProcess(index, self._threads, self._log)
        self._processes.append(process)
        return process

    def _done(self) -> bool:
        """Whether nobody works and nothing is left to hand out."""
        if self._asked_to_stop():
            for process in self._busy():
                process.interrupt()
            return not self._busy()
        if self._busy():
            return False
        # Trials that others work on, or that somebody holds, may come back; paused ones may go on.
        return self._opened.study.finished()

    def _asked_to_stop(self) -> bool:
        if not self._reason and self._stop:
            self._reason = "interrupted"
        if not self._reason and time.monotonic() > self._deadline:
            self._reason = "the time is over"
        return bool(self._reason)

    def _busy(self) -> list[TrialProcess]:
        return [process for process in self._processes if process.trial is not None]

    def _step(self) -> None:
        self._quiet.grant(self._processes)
        if not self._reason and not self._quiet:
            self._hand_out()
        busy = self._processes
        if busy:
            select.select(busy, [], [], _POLL)
        else:
            time.sleep(_POLL)
        for process in list(busy):
            answers, ended = process.answers()
            for answer in answers:
                self._answered(process, answer)
            if ended:
                self._died(process)
            elif process.trial is not None and time.monotonic() - process.last_sign > self._lease:
                process.kill()
                self._died(process)

    def _hand_out(self) -> None:
        """Gives every idle process a trial, starting processes as they are needed."""
        now = time.monotonic()
        self._held = {number: until for number, until in self._held.items() if until > now}
        # A trial that somebody else still holds keeps its place: what is asked next may depend on it.
        while len(self._busy()) + len(self._held) < self._jobs:
            trial = self._opened.study.next(self._owner, self._lease, list(self._held), self._share)
            if trial is None:
                return
            idle = [process for process in self._processes if process.trial is None]
            taken = {process.index for process in self._processes}
            free = next(index for index in range(self._jobs + 1) if index not in taken)
            process = idle[0] if idle else self._start(free)
            process.send(self._order(trial), trial)
            again = "goes on" if trial.token > 1 else "begins"
            self._say(f"trial {trial.number} {again}  {told_point(trial.point)}".rstrip())

    def _watched(self) -> list[str]:
        """What a trial reports of every epoch."""
        return list(dict.fromkeys([*self._opened.tune.objectives, *self._opened.study.metrics]))

    def _order(self, trial: Trial) -> dict[str, Any]:
        overrides: dict[str, Any] = {**escaped(trial.point), "report.enabled": False}
        if self._opened.base["train"].get("threads") is None:
            overrides["train.threads"] = trial.threads or self._threads
        tune, seed = self._opened.tune, int(self._opened.base["train"].get("seed") or 0)
        return {
            "kind": "trial",
            "number": trial.number,
            "token": trial.token,
            "recipe": escaped(self._opened.base),
            "overrides": overrides,
            "runs_dir": str(self._runs_dir),
            "objectives": dict(tune.objectives),
            "constraints": list(tune.constraints),
            "statistic": tune.statistic or "mean",
            "seeds": [None, *range(seed + 1, seed + tune.seeds)],
            "metrics": self._metrics,
            "judged": bool(self._opened.study.metrics),
            "fresh": trial.retries > 0,
            "beat": self._lease / 4,
        }

    def _answered(self, process: TrialProcess, answer: dict[str, Any]) -> None:
        trial = process.trial
        if answer["kind"] == "resting":
            self._quiet.rests(process)
        if trial is None or (answer.get("number"), answer.get("token")) != (trial.number, trial.token):
            return
        number, token, kind = trial.number, trial.token, answer["kind"]
        if kind == "beat":
            if not self._store.renew(number, token, self._lease):
                self._lost(process, number)
            return
        if kind in ("quiet", "measured"):
            (self._quiet.ask if kind == "quiet" else self._quiet.measured)(process)
            return
        if kind == "report":
            self._reported(process, trial, answer)
            return
        process.trial = None
        self._quiet.measured(process)
        if kind in ("done", "stopped", "paused"):
            if self._finish(trial, TrialState(kind), answer):
                self._tell(trial, answer)
            else:
                self._say(f"trial {number}: the result came after its lease, it is not written")
        elif kind == "failed":
            if self._store.finish(number, token, TrialState.FAILED, reason=answer["reason"]):
                self._say(f"trial {number} failed: {answer['reason'].splitlines()[0]}")
        elif kind == "held":
            self._store.release(number, token, answer["reason"])
            self._held[number] = time.monotonic() + _HELD_PAUSE
        else:
            self._store.release(number, token, answer["reason"])
            if kind == "storage":
                self._reason = answer["reason"]

    def _reported(self, process: TrialProcess, trial: Trial, answer: dict[str, Any]) -> None:
        """Keeps a report and answers what becomes of its trial."""
        report = Report(answer["epoch"], answer["step"], answer["values"])
        if not self._store.report(trial.number, trial.token, report):
            self._lost(process, trial.number)
            return
        verdict = self._opened.study.judge(trial.number, report.epoch)
        told = {"action": "go"} if verdict is None else asdict(verdict)
        process.tell({"kind": "verdict", **told})

    def _lost(self, process: TrialProcess, number: int) -> None:
        """Ends a process whose trial may be somebody else's by now."""
        self._say(f"trial {number}: the lease is lost, its process is ended")
        process.trial = None
        process.kill()
        self._processes.remove(process)

    def _finish(self, trial: Trial, state: TrialState, answer: dict[str, Any]) -> bool:
        """Commits a result; one of a trial that was stopped or paused is of its last evaluation."""
        curve = [Report(*row) for row in answer["curve"]]
        values = answer.get("values")
        if values is None and curve:
            last = curve[-1].values
            found = [last.get(name) for name in self._opened.tune.objectives]
            values = None if None in found else found
        return self._store.finish(
            trial.number,
            trial.token,
            state,
            values,
            run=answer["run"],
            reused=answer.get("reused", False),
            reason=answer.get("reason", ""),
            curve=curve,
            details=answer.get("details"),
        )

    def _died(self, process: TrialProcess) -> None:
        """Gives a dead process's trial back, or up."""
        trial, how = process.trial, process.how_it_ended()
        process.trial = None
        process.kill()
        self._processes.remove(process)
        if trial is None:
            return
        if process.stopping:
            self._store.release(trial.number, trial.token, "interrupted")
        elif trial.deaths + 1 >= _MOST_DEATHS:
            reason = f"{how}, for the {_MOST_DEATHS}th time; see {self._log}"
            self._store.finish(trial.number, trial.token, TrialState.FAILED, reason=reason)
            self._say(f"trial {trial.number} failed: {reason}")
        else:
            self._store.release(trial.number, trial.token, how, died=True)
            self._say(f"trial {trial.number}: {how}; it is taken up again")

    def _tell(self, trial: Trial, answer: dict[str, Any]) -> None:
        if answer["kind"] != "done":
            self._say(f"trial {trial.number} {answer['kind']}  {answer['reason']}")
            return
        values = dict(zip(self._opened.tune.objectives, answer["values"], strict=True))
        done = sum(t.state.ended for t in self._store.trials())
        of = f" of {self._opened.study.size}" if self._opened.study.size is not None else ""
        again = "  (that point was run before: its run is used)" if answer["reused"] else ""
        front = {t.number for t in self._opened.best()}
        mark = "  best so far" if trial.number in front and len(values) == 1 else ""
        mark = "  on the front" if trial.number in front and len(values) > 1 else mark
        self._say(f"trial {trial.number} done ({done}{of})  {format_metrics(values)}{mark}{again}")


def _is_done(run: str) -> bool:
    return Path(run, "run.json").exists() and RunDirectory(run).record().state == RunState.DONE


def is_dead(owner: str) -> bool:
    """Whether the process that works on a trial is certainly gone.

    Args:
        owner: As the trial has it.
    """
    try:
        return Owner(**json.loads(owner)).dead()
    except (ValueError, TypeError):
        return False
