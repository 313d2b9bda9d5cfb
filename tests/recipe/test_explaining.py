import pytest

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe import Recipe, explain, load
from trainwright.recipe.nodes import GIVEN, from_plain, join_path
from trainwright.recipe.slots import known_paths

pytestmark = pytest.mark.usefixtures("samples")


def test_component():
    text = explain("optimizer.sgd")
    assert "Gradient descent." in text
    assert "lr: a number > 0; default 0.01\n    Learning rate, over two lines." in text
    assert "no effect when momentum == 0" in text
    assert "Filled by the tool: params" in text
    assert "Args:" not in text


def test_parameter_of_a_component():
    assert explain("optimizer.sgd.nesterov") == (
        "optimizer.sgd.nesterov: true or false; default false\n  no effect when momentum == 0"
    )


def test_kind_lists_components():
    text = explain("optimizer")
    assert "sgd    Gradient descent." in text
    assert "module:attribute" in text


def test_kind_that_is_a_key_too():
    text = explain("model")
    assert "cnn" in text and "timm's" in text
    assert "model: a model" in text and "required" in text


def test_key():
    assert explain("train.batch_size") == (
        "train.batch_size: a whole number >= 1; default 64\n"
        "  Samples of one optimizer step, over all processes."
    )
    assert "one of `auto`, `fp32`, `bf16`, `fp16`; default auto" in explain("train.precision")
    assert "no effect when data.on_bad.policy is not skip" in explain("data.on_bad.limit")
    assert "no effect when" in explain("data.targets.label.class_weights")


def test_section_lists_its_keys():
    text = explain("train")
    assert "    epochs: Budget" in text
    assert "    clip: Gradient clipping" in text


def test_key_of_a_component():
    assert "train.optimizer.lr (adamw): a number > 0; default 0.001" in explain("train.optimizer.lr")
    assert explain("train.optimizer.momentum").startswith("optimizer.sgd.momentum")
    assert "processor.image.size" in explain("data.inputs.anything.size")
    tree = from_plain({"train": {"optimizer": "sgd"}}, GIVEN)
    assert "(sgd)" in explain("train.optimizer.lr", tree)


def test_key_that_holds_a_component():
    assert "`trainwright explain optimizer`" in explain("train.optimizer")
    assert "`trainwright explain augment`" in explain("data.augment")


def test_timm_model():
    assert "pretrained: true or false; default false" in explain("model.resnet18")
    assert explain("model.resnet18.pretrained").startswith("model.resnet18.pretrained: true or false")


def test_user_component(user_module):
    user_module(
        "my_explained",
        "class Net:\n    'A net.'\n    def __init__(self, num_classes, *, width: int = 3): ...\n",
    )
    assert "width: a whole number; default 3" in explain("model.my_explained:Net")
    assert (
        explain("model.my_explained:Net.width") == "model.my_explained:Net.width: a whole number; default 3"
    )


@pytest.mark.parametrize(
    ("what", "guess"),
    [("optimizer.sdg", "optimizer.sgd"), ("train.epoch", "train.epochs"), ("epochs", "train.epochs")],
)
def test_unknown_names_the_closest(what: str, guess: str):
    with pytest.raises(RecipeError, match=f"did you mean `{guess}`"):
        explain(what)


def test_every_key_can_be_explained():
    for path in known_paths(None):
        assert explain(join_path(path))


def test_every_key_is_known():
    assert "One level deep" in explain("extends")
    assert "Short name -> key path" in explain("aliases")
    with pytest.raises(ErrorList, match=r"known: .*extends"):
        load({"foo": 1})
    for key in [*Recipe.model_fields, *Recipe.read_before]:
        assert explain(key)


def test_own_losses_are_told_how_they_are_called():
    text = explain("loss")
    assert "called with (output, target) and gives a value per sample [B]" in text
    assert "A class is made with the recipe's parameters" in text
