import hashlib
import json

import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import digest, explain_difference, identity, load, salt_fields
from trainwright.recipe.nodes import split_path
from trainwright.recipe.salt import NOT_PART, weights_digest
from trainwright.recipe.slots import annotation_at

pytestmark = pytest.mark.usefixtures("samples")

RECIPE = {
    "name": "x",
    "data": {
        "source": {"name": "folder", "root": "/data/a"},
        "inputs": {"image": {"type": "image", "size": [8, 8]}},
        "targets": {"label": "category"},
    },
    "model": "cnn",
    "train": {"optimizer": "sgd"},
}


def salt(*words: str, data: str = "d") -> str:
    return identity(load(RECIPE, list(words)), data).salt


@pytest.mark.parametrize(
    "word",
    [
        "name=y", "description=other", "aliases={e: train.epochs}", "report.enabled=false",
        "data.source.root=/data/b", "data.workers=3", "data.cache=none", "train.device=cpu",
        "train.threads=2", "train.log_every=7", "train.checkpoint.every_steps=10",
        "train.checkpoint.every_minutes=null", "train.health={every: 7, plateau: ignore}",
        "train.wait_minutes=5", "train.memory_check=none",
        # Values as they are by default, and numbers in another spelling.
        "train.seed=0", "train.precision=auto", "train.optimizer.lr=1e-2", "train.schedule=constant",
    ],
)  # fmt: skip
def test_what_changes_no_result_changes_no_salt(word: str):
    assert salt(word) == salt()


@pytest.mark.parametrize(
    "word",
    [
        "train.seed=1", "train.optimizer.lr=0.02", "train.optimizer=adamw", "train.batch_size=32",
        "train.precision=fp32", "train.epochs=3", "data.split={val: 0.1}", "model.widths=[16]",
        "data.source.extensions=[png]", "data.inputs.image.size=8", "train.micro_batch=32",
        "train.checkpoint.monitor=val/loss", "data.augment=[flip]", "task.aggregator.scale=2",
        "data.targets.label.loss=focal", "train.deterministic=true", "data.on_bad.policy=skip",
        "train.health.plateau=stop",
    ],
)  # fmt: skip
def test_what_changes_the_result_changes_the_salt(word: str):
    assert salt(word) != salt()


def test_data_is_part_of_it():
    assert salt(data="other") != salt()


def test_digest_is_sha256_of_canonical_json():
    fields = salt_fields(load(RECIPE).recipe, {"data": "d"})
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    found = identity(load(RECIPE), "d")
    assert found.digest == hashlib.sha256(text.encode()).hexdigest() == digest(fields)
    assert found.salt == found.digest[:10]
    assert json.loads(json.dumps(found.parts)) == found.parts


def test_order_of_keys_does_not_matter():
    turned = {key: RECIPE[key] for key in reversed(RECIPE)}
    assert identity(load(turned), "d").salt == salt()


def test_salt_fields_change_nothing():
    loaded = load(RECIPE)
    before = loaded.recipe.model_dump()
    salt_fields(loaded.recipe)
    assert loaded.recipe.model_dump() == before


def test_versions_of_components():
    versions = salt_fields(load(RECIPE).recipe)["versions"]
    assert versions["optimizer"] == {"sgd": 2}
    assert versions["processor"] == {"image": 1, "category": 1}
    assert versions["aggregator"] == {"sum": 1}


def test_initial_weights_count_by_content(tmp_path):
    (tmp_path / "a").write_bytes(b"weights")
    (tmp_path / "b").write_bytes(b"weights")
    (tmp_path / "c").write_bytes(b"others")
    same = [salt(f"init.path={tmp_path / name}") for name in "ab"]
    assert same[0] == same[1] != salt()
    assert salt(f"init.path={tmp_path / 'c'}") not in same
    (tmp_path / "run" / "weights").mkdir(parents=True)
    (tmp_path / "run" / "weights" / "best.safetensors").write_bytes(b"weights")
    assert weights_digest(str(tmp_path / "run")) == hashlib.sha256(b"weights").hexdigest()
    with pytest.raises(RecipeError, match="cannot be read"):
        salt(f"init.path={tmp_path / 'nothing'}")


def test_user_code_counts_by_source(user_module):
    net = (
        "from my_salt_part import W\nclass Net:\n    def __init__(self, classes=3, *, width: int = W): ...\n"
    )
    user_module("my_salt_net", net)
    user_module("my_salt_part", "W = 1\n")
    first = salt("model=my_salt_net:Net")
    assert first == salt("model=my_salt_net:Net")
    user_module("my_salt_part", "W = 2\n")
    second = salt("model=my_salt_net:Net")
    assert second != first
    user_module("my_salt_net", net + "# more\n")
    assert salt("model=my_salt_net:Net") not in (first, second)


def test_why_not_the_same():
    left = identity(load(RECIPE), "d").parts
    right = identity(load(RECIPE, ["train.seed=1", "name=z", "train.optimizer.momentum=0.9"]), "e").parts
    found = {item.field: (item.left, item.right) for item in explain_difference(left, right)}
    assert found == {
        "recipe.train.seed": (0, 1),
        "recipe.train.optimizer.momentum": (0.0, 0.9),
        "content.data": ("d", "e"),
    }
    assert explain_difference(left, left) == []


def test_listed_key_paths_exist():
    for path in NOT_PART:
        assert annotation_at(split_path(".".join(path)), None) is not None
