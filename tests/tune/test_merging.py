"""Two studies as one: every point once, the one that came farthest."""

from __future__ import annotations

from trainwright import registry
from trainwright.recipe.space import Space, Variable
from trainwright.tune.curve import Report
from trainwright.tune.merging import merged
from trainwright.tune.store import Store
from trainwright.tune.study import Study
from trainwright.tune.trial import TrialState

SPACE = Space((Variable("x", choices=(1, 2, 3, 4)),))


def fill(store: Store, states: dict[int, TrialState]) -> None:
    for number, (x, state) in enumerate(states.items()):
        trial = store.add(number, {"x": x}, owner="me", lease=10, known=0)
        if state.ended:
            values = [float(x)] if state is not TrialState.FAILED else None
            curve = [Report(1, 10, {"loss": float(x)})]
            store.finish(number, trial.token, state, values, curve=curve, run=f"{store.name}/{x}")


def test_merged_studies_go_on_where_the_grid_has_gaps(tmp_path, place):
    with Store(tmp_path / "left", "left") as left, Store(tmp_path / "right", "right") as right:
        for store in (left, right):
            store.create({"name": "g"}, None)
        fill(left, {2: TrialState.DONE, 1: TrialState.FAILED, 3: TrialState.RUNNING})
        fill(right, {1: TrialState.DONE, 2: TrialState.STOPPED})
        found = merged([left, right])
    assert (found.twice, found.unfinished) == (2, 1)
    with Store(*place) as new:
        new.create({"name": "g"}, None)
        new.adopt(found.trials, once=True)
        trials = new.trials()
        assert [(t.number, t.point["x"], t.state, t.run) for t in trials] == [
            (0, 2, TrialState.DONE, "left/2"),
            (1, 1, TrialState.DONE, "right/1"),
        ]
        assert [t.values for t in trials] == [(2.0,), (1.0,)]
        assert new.curves()[1] == (Report(1, 10, {"loss": 1.0}),)
        grid = registry.build("search", "grid", space=SPACE, directions={"loss": "minimize"}, seed=0)
        study = Study(new, grid, None)
        rest = [study.next("me", 10), study.next("me", 10)]
        assert [trial.point["x"] for trial in rest] == [3, 4]
        assert study.next("me", 10) is None
        for trial in rest:
            new.finish(trial.number, trial.token, TrialState.DONE, [0.0])
        assert study.finished()
