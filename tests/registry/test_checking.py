import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright import registry
from trainwright.errors import ErrorList, RecipeError
from trainwright.registry.checking import convert

pytestmark = pytest.mark.usefixtures("samples")


def problems(kind: str, spec: object) -> list[str]:
    return [f"{'.'.join(map(str, p.path))}: {p.what}" for p in registry.check(kind, spec).problems]


def test_bare_name_gets_every_default():
    assert registry.validate("optimizer", "sgd") == {
        "name": "sgd",
        "lr": 0.01,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": 0.0,
    }


def test_values_are_plain_data():
    spec = registry.validate("optimizer", {"name": "adamw", "betas": (0.5, 0.9)})
    assert spec["betas"] == [0.5, 0.9]
    assert registry.validate("optimizer", "adamw")["betas"] == [0.9, 0.999]


def test_whole_number_becomes_the_float_that_the_signature_asks_for():
    value = registry.validate("optimizer", {"name": "sgd", "lr": 1})["lr"]
    assert isinstance(value, float)


def test_defaults_are_not_shared_between_checks():
    registry.validate("model", "cnn")["widths"].append(99)
    assert registry.validate("model", "cnn")["widths"] == [16, 32]


def test_validated_spec_is_valid_and_stays_the_same():
    spec = registry.validate("model", {"name": "cnn", "stem": "flip"})
    assert registry.validate("model", spec) == spec


def test_unknown_parameter_names_the_closest():
    with pytest.raises(RecipeError) as caught:
        registry.validate("optimizer", {"name": "sgd", "momentun": 0.9}, where="train.optimizer")
    assert caught.value.where == "train.optimizer.momentun"
    assert caught.value.fix == "did you mean `momentum`?"


def test_all_problems_are_reported_at_once():
    with pytest.raises(ErrorList) as caught:
        registry.validate("optimizer", {"name": "sgd", "lr": -1, "momentum": "much", "x": 1})
    assert len(caught.value.errors) == 3


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "expected a number > 0, got 0"),
        ("0.1", "expected a number > 0, got the text `0.1`"),
        (True, "expected a number > 0, got true"),
        (None, "expected a number > 0, got null"),
        ([0.1], "expected a number > 0, got the list [0.1]"),
    ],
)
def test_wrong_value_is_told_in_plain_words(value: object, said: str):
    assert problems("optimizer", {"name": "sgd", "lr": value}) == [f"lr: {said}"]


def test_number_in_quotes_gets_a_hint():
    (problem,) = registry.check("optimizer", {"name": "sgd", "lr": "0.1"}).problems
    assert problem.fix == "remove the quotes"


def test_literal_names_the_closest():
    (problem,) = registry.check("augment", {"name": "flip", "direction": "lefft"}).problems
    assert problem.what == "expected one of `left`, `up`, got the text `lefft`"
    assert problem.fix == "did you mean `left`?"


def test_wrong_item_of_a_list_is_named():
    assert problems("model", {"name": "cnn", "widths": [8, 0]}) == [
        "widths.1: expected a whole number >= 1, got 0"
    ]


def test_wrong_item_within_a_union_is_named():
    assert problems("processor", {"name": "image", "size": [8, "x"]}) == [
        "size.1: expected a whole number >= 1, got the text `x`"
    ]


def test_union_names_every_alternative():
    assert problems("processor", {"name": "image", "size": "big"}) == [
        "size: expected a whole number >= 1 or a list of whole numbers >= 1, got the text `big`"
    ]


def test_missing_parameter():
    assert problems("source", "folder") == ["root: source `folder` needs `root`"]


def test_filled_parameter_cannot_be_given():
    (problem,) = registry.check("optimizer", {"name": "sgd", "params": []}).problems
    assert problem.what == "`params` of optimizer `sgd` is filled by the tool"


@pytest.mark.parametrize("spec", [3, None, ["sgd"], {"lr": 1}, {"name": 5}])
def test_what_is_no_component(spec: object):
    assert len(problems("optimizer", spec)) == 1


def test_default_name():
    assert registry.check("optimizer", {"lr": 1}, default="sgd").spec["name"] == "sgd"


def test_dead_value_is_refused():
    (problem,) = registry.check("optimizer", {"name": "sgd", "nesterov": True}).problems
    assert problem.what == "`nesterov: true` has no effect when momentum == 0"
    assert problem.why == "momentum is 0.0"


def test_dead_value_that_equals_the_default_is_no_problem():
    assert not registry.check("optimizer", {"name": "sgd", "nesterov": False}).problems
    assert not registry.check("optimizer", {"name": "sgd", "nesterov": True, "momentum": 0.9}).problems


def test_nested_component_is_filled():
    task = registry.validate("task", "supervised")
    assert task["aggregator"] == {"name": "sum", "scale": 1.0}
    task = registry.validate("task", {"name": "supervised", "aggregator": {"name": "sum", "scale": 2}})
    assert task["aggregator"]["scale"] == 2.0


def test_nested_component_reports_its_own_place():
    assert problems("task", {"name": "supervised", "aggregator": {"name": "sum", "scal": 2}}) == [
        "aggregator.scal: unknown parameter of aggregator `sum`: `scal`"
    ]
    assert problems("model", {"name": "cnn", "stem": {"probability": "x"}}) == [
        "stem.probability: expected a number, got the text `x`"
    ]


def test_nested_component_may_be_absent():
    assert registry.validate("model", "cnn")["stem"] is None


@given(st.floats(min_value=1e-300, allow_infinity=False))
def test_any_positive_float_passes_unchanged(value: float):
    from trainwright.fields import Positive

    assert convert(Positive, value) == value
