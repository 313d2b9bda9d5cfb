"""What changes a salt, and what does not."""

from __future__ import annotations

import re
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.errors import UserError
from trainwright.workflows.pipeline.graph import behind

CHAIN_EDGES = {"first": (), "second": ("first",), "apart": (), "last": ("second", "apart")}
DIGITS = """\
stages:
  look: {name: check_data, recipe: digits}
  fit: {name: train, recipe: digits, overrides: {train.epochs: 2}, needs: look}
  other: {name: train, recipe: digits, overrides: {train.epochs: 2, train.seed: 1}}
  mean: {name: combine, runs: ["${stages.fit}", "${stages.other}"]}
  score: {name: evaluate, run: "${stages.mean}"}
"""


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stage=st.sampled_from(sorted(CHAIN_EDGES)), word=st.text("abc", min_size=1, max_size=3))
def test_a_parameter_changes_its_stage_and_what_builds_on_it(chain, stage, word):
    before = chain.salts()
    tree = yaml.safe_load(chain.file.read_text())
    tree["stages"][stage]["argv"].append(f"--{word}")
    held = chain.file.read_text()
    chain.file.write_text(yaml.safe_dump(tree, sort_keys=False))
    after = chain.salts()
    chain.file.write_text(held)
    assert changed(before, after) == {stage, *behind(CHAIN_EDGES, [stage])}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(1, 64), min_size=4, max_size=4))
def test_into_how_many_parts_work_is_divided_changes_nothing(chain, numbers):
    before = chain.salts()
    tree = yaml.safe_load(chain.file.read_text())
    for stage, number in zip(tree["stages"].values(), numbers, strict=True):
        stage["workers"] = number
    held = chain.file.read_text()
    chain.file.write_text(yaml.safe_dump(tree, sort_keys=False))
    after = chain.salts()
    chain.file.write_text(held)
    assert changed(before, after) == set()


def test_the_content_of_an_input_counts_and_not_where_it_lies(chain):
    before = chain.salts()
    (chain.folder / "there").mkdir()
    shutil.copy("start.txt", "there/other.txt")
    text = chain.file.read_text()
    chain.file.write_text(text.replace("start: start.txt", "start: there/other.txt"))
    assert chain.salts() == before
    (chain.folder / "there" / "other.txt").write_text("another")
    assert changed(before, chain.salts()) == {"first", "second", "last"}


def test_a_program_that_changes_makes_its_stages_others(chain):
    before = chain.salts()
    (chain.folder / "write.py").write_text("print()")
    assert changed(before, chain.salts()) == set(before)


def test_names_change_nothing(chain):
    before = chain.salts()
    text = chain.file.read_text().replace("second", "middle").replace("name: pipe", "name: other")
    chain.file.write_text(text)
    after = chain.salts()
    assert after.pop("middle") == before.pop("second") and after == before


def test_a_recipe_counts_as_in_the_salt_of_a_run(bench):
    bench.write(DIGITS)
    before = bench.salts()

    def with_overrides(text):
        bench.write(DIGITS.replace("train.epochs: 2}", f"train.epochs: 2, {text}}}"))
        return changed(before, bench.salts())

    assert with_overrides("train.threads: 1") == set()
    assert with_overrides("data.workers: 3") == set()
    assert with_overrides("train.device: cpu") == set()
    assert with_overrides("name: renamed") == set()
    assert with_overrides("train.optimizer.lr: 0.5") == {"fit", "mean", "score"}


def test_a_default_that_is_written_out_is_the_same(bench):
    bench.write(DIGITS)
    before = bench.salts()
    bench.write(DIGITS.replace('${stages.mean}"', '${stages.mean}", split: test'))
    assert bench.salts() == before


def test_what_only_has_to_wait_is_no_part(bench):
    bench.write(DIGITS)
    before = bench.salts()
    bench.write(DIGITS.replace(", needs: look", ""))
    assert bench.salts() == before


def test_the_data_behind_a_recipe_count(bench, make_photos):
    make_photos(bench.folder / "photos", each=4)
    recipe = (
        "name: photos\ndata:\n  source: {name: folder, root: photos}\n"
        "  inputs: {image: {type: image, size: [8, 8]}}\n  targets: {label: {type: category}}\n"
        "  split: {train: 0.5, val: 0.5}\nmodel: cnn\ntrain: {epochs: 1}\n"
    )
    (bench.folder / "photos.yaml").write_text(recipe)
    bench.write("stages: {fit: {name: train, recipe: photos.yaml}}\n")
    before = bench.salts()
    shutil.move("photos", "moved")
    (bench.folder / "photos.yaml").write_text(recipe.replace("root: photos", "root: moved"))
    assert bench.salts() == before
    shutil.copy("moved/cat/0.png", "moved/dog/9.png")
    assert bench.salts() != before


def test_a_recipe_on_data_that_another_stage_makes(bench, make_photos):
    make_photos(bench.folder / "photos", each=4)
    text = (
        "stages:\n"
        "  tidy: {name: convert, source: photos, to: folder}\n"
        "  fit:\n    name: train\n    recipe:\n      name: photos\n      data:\n"
        "        source: {name: folder, root: '${stages.tidy}'}\n"
        "        inputs: {image: {type: image, size: [8, 8]}}\n        targets: {label: {type: category}}\n"
        "        split: {train: 0.5, val: 0.5}\n      model: cnn\n      train: {epochs: 1}\n"
    )
    bench.write(text)
    plan = bench.plan()
    before = {name: item.salt for name, item in plan.stages.items()}
    assert plan.stages["fit"].to_check == ()  # its data are not there yet
    (bench.folder / "photos" / "cat" / "0.png").unlink()
    assert changed(before, bench.salts()) == {"tidy", "fit"}


def test_code_of_the_user_counts(bench):
    own = bench.folder / "own_identity.py"
    own.write_text("def count(stage, *, table: str) -> None:\n    '''Counts.'''\n")
    bench.write("stages: {a: {name: 'own_identity:count', table: t}}\n")
    before = bench.salts()
    own.write_text(own.read_text() + "    return None\n")
    assert bench.salts() != before


def test_faults_of_places_and_recipes_are_told_together(bench):
    bench.write(
        "stages:\n"
        "  a: {name: convert, source: pip.yaml, to: coco}\n"
        "  b: {name: train, recipe: digits, overrides: {train.epoch: 2}}\n"
        "  c: {name: train, recipe: nope.yaml}\n"
        "  d: {name: report, run: something}\n"
    )
    with pytest.raises(UserError) as error:
        bench.plan()
    text = str(error.value)
    assert "pipe.yaml:3: stages.a.source: there is no file or folder 'pip.yaml'" in text
    assert re.search(r"did you mean .*pipe\.yaml\?", text)
    assert "pipe.yaml:4: stages.b.recipe: override train.epoch: there is no key" in text
    assert "pipe.yaml:5: stages.c.recipe: nope.yaml: there is no such recipe file" in text
    assert "pipe.yaml:6: stages.d.run: no run matches 'something'" in text
