import math

import pytest

from trainwright import registry
from trainwright.errors import RecipeError
from trainwright.registry.info import REQUIRED
from trainwright.registry.source_reading import Unreadable, describe_source

pytestmark = pytest.mark.usefixtures("samples")
PARTS = "sample_components.parts:"


def defaults(info: registry.ComponentInfo) -> dict[str, object]:
    return {item.name: item.default for item in info.parameters}


def test_function_splits_into_filled_and_recipe_parameters():
    info = registry.describe("optimizer", "sgd")
    assert info.positional == ("params",)
    assert info.needs == ("params",)
    assert defaults(info) == {"lr": 0.01, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    assert info.dead_when == {"nesterov": "momentum == 0"}
    assert info.version == 2
    assert info.source_file is not None and info.source_file.endswith("optimizers.py")


def test_docstring_gives_summary_and_parameter_texts():
    info = registry.describe("optimizer", "sgd")
    assert info.summary == "Gradient descent."
    lr = info.parameter("lr")
    assert lr is not None and lr.doc == "Learning rate, over two lines."
    assert lr.text == "Positive"


def test_re_exported_function_is_found_where_it_is_defined():
    info = registry.describe("optimizer", "adamw")
    assert defaults(info) == {"lr": 1e-3, "betas": (0.9, 0.999)}
    assert info.version == 1


def test_class_inherits_its_constructor():
    info = registry.describe("schedule", "constant")
    assert info.positional == ("total_steps", "steps_per_epoch")
    assert defaults(info) == {"warmup_steps": 0}
    assert info.summary == "Stays."
    warmup = info.parameter("warmup_steps")
    assert warmup is not None and warmup.doc == "Steps of linear rise."


def test_defaults_may_be_constants_of_other_modules():
    assert defaults(registry.describe("schedule", "cosine")) == {"end": 0.5, "turn": math.pi}


def test_defaults_may_be_constants_of_the_module():
    assert defaults(registry.describe("processor", "image"))["mean"] == (8, 8)
    assert defaults(registry.describe("processor", "image"))["size"] is REQUIRED


def test_class_without_constructor_has_no_parameters():
    assert registry.describe("source", "digits").parameters == ()


def test_class_with_a_foreign_base_has_no_parameters():
    assert describe_source("schedule", "foreign", PARTS + "ForeignBase").parameters == ()


def test_location_is_recognised():
    root = registry.describe("source", "folder").parameter("root")
    assert root is not None and root.location


def test_open_ended_signature_is_refused():
    with pytest.raises(RecipeError, match=r"takes `\*\*options`"):
        describe_source("optimizer", "open", PARTS + "open_ended")


def test_missing_annotation_is_a_defect():
    with pytest.raises(Unreadable, match="`lr` has no annotation"):
        describe_source("optimizer", "bare", PARTS + "unannotated")


def test_missing_attribute_is_a_defect():
    with pytest.raises(Unreadable, match="no function or class `nothing`"):
        describe_source("optimizer", "nothing", PARTS + "nothing")


def test_unknown_component_names_the_closest_and_all():
    with pytest.raises(RecipeError) as caught:
        registry.describe("optimizer", "adam_w")
    assert "there is no optimizer `adam_w`" in str(caught.value)
    assert "did you mean `adamw`?" in caught.value.fix
    assert "sgd, adamw" in caught.value.fix


def test_unknown_kind_is_a_defect():
    with pytest.raises(KeyError, match="no component kind 'optimiser'"):
        registry.names("optimiser")


def test_timm_name_resolves_to_the_adapter():
    info = registry.describe("model", "resnet18.a1_in1k")
    assert info.target == PARTS + "timm_model"
    assert info.fixed == {"architecture": "resnet18.a1_in1k"}
    assert defaults(info) == {"pretrained": False, "options": {}}


def test_unknown_pretrained_tag_lists_those_there_are():
    with pytest.raises(RecipeError) as caught:
        registry.describe("model", "resnet18.nothing")
    assert "a1_in1k" in caught.value.fix


def test_unknown_model_suggests_timm_names():
    with pytest.raises(RecipeError, match="did you mean `resnext50_32x4d`"):
        registry.describe("model", "resnext50_32x4")
