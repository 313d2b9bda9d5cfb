import pytest

from trainwright.registry.dead_values import holds, names_in

VALUES = {"momentum": 0.0, "mode": "a", "limit": None, "on": True, "sizes": [1, 2]}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("momentum == 0", True),
        ("momentum != 0", False),
        ("momentum > -1", True),
        ("0 <= momentum < 1", True),
        ("0 < momentum < 1", False),
        ("mode in ('a', 'b')", True),
        ("mode not in ['a']", False),
        ("limit is None", True),
        ("limit is not None", False),
        ("not on", False),
        ("on and momentum == 0", True),
        ("not on or mode == 'b'", False),
        ("limit < 1", False),
        ("sizes == [1, 2]", True),
    ],
)
def test_condition(condition: str, expected: bool):
    assert holds(condition, VALUES) is expected


@pytest.mark.parametrize("condition", ["len(mode) == 1", "momentum + 1", "other == 1", "mode.x", "sizes[0]"])
def test_other_syntax_and_names_are_refused(condition: str):
    with pytest.raises(ValueError, match="cannot have"):
        holds(condition, VALUES)


def test_names():
    assert names_in("a == 1 and not (b or c is None)") == {"a", "b", "c"}
