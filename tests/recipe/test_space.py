from hypothesis import given
from hypothesis import strategies as st

from trainwright.recipe.space import Space, Variable, matches, point_key

OPTIMIZER = Variable("o", choices=("adamw", {"name": "sgd", "momentum": 0.9}))
NESTEROV = Variable("o.nesterov", choices=(True, False), when={"o": ("sgd",)})
DEPTH = Variable("depth", choices=(1, 2, 3))


def test_points_leave_out_what_is_not_active():
    points = list(Space((OPTIMIZER, NESTEROV, DEPTH)).points(lambda item: item.edges))
    assert len(points) == 3 + 2 * 3
    assert all(("o.nesterov" in point) == (point["o"] != "adamw") for point in points)
    assert len({point_key(point) for point in points}) == len(points)


def test_a_component_is_matched_by_its_name():
    assert matches({"name": "sgd", "lr": 1}, "sgd") and matches("sgd", "sgd")
    assert not matches({"name": "sgd"}, "adamw")


def test_true_is_not_one():
    assert not matches(True, 1) and matches(1, 1)


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=4))
def test_the_key_of_a_point_does_not_know_an_order(point):
    assert point_key(point) == point_key(dict(reversed(point.items())))
