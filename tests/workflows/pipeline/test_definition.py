"""What is told of a pipeline's file before anything is looked at."""

from __future__ import annotations

import pytest

from trainwright.errors import UserError
from trainwright.workflows.pipeline.definition import read_pipeline


def read(bench, text):
    bench.write(text)
    return read_pipeline("pipe.yaml")


def refused(bench, text) -> str:
    with pytest.raises(UserError) as error:
        read(bench, text)
    return str(error.value)


def test_stages_are_ordered_and_know_what_they_use_and_wait_for(bench):
    pipeline = read(
        bench,
        "stages:\n"
        "  score: {name: evaluate, run: '${stages.fit}', needs: look}\n"
        "  fit: {name: train, recipe: digits}\n"
        "  look: {name: check_data, recipe: digits}\n",
    )
    assert list(pipeline.stages) == ["fit", "look", "score"]
    score = pipeline.stages["score"]
    assert score.uses == ("fit",) and score.after == ("fit", "look")
    assert score.spec == {"name": "evaluate", "run": "${stages.fit}", "split": "test", "data": None}


def test_every_fault_is_told_with_line_and_key_path(bench):
    text = refused(
        bench,
        "stages:\n"
        "  a: {name: trian, recipe: digits}\n"
        "  b: {name: train, recipe: digits, overides: {}}\n"
        "  c: {name: evaluate, run: '${stages.e}', splt: test}\n"
        "  d: {name: report, run: '${stage.a}'}\n"
        "  e: {name: report}\n"
        "  f: {name: report, run: r, needs: [aa]}\n",
    )
    assert "pipe.yaml:3: stages.a.name: there is no stage `trian`\n  fix: did you mean `train`?" in text
    assert "pipe.yaml:4: stages.b.overides: unknown parameter" in text
    assert "did you mean `overrides`?" in text
    assert "pipe.yaml:5: stages.c.splt: unknown parameter" in text
    assert "pipe.yaml:6: stages.d.run: ${stage.a} is no reference" in text
    assert "pipe.yaml:7: stages.e.run: stage `report` needs `run`" in text
    assert "pipe.yaml:8: stages.f.needs.0: there is no stage `aa`" in text


def test_unknown_and_own_stages(bench):
    text = refused(
        bench,
        "stages:\n"
        "  train: {name: train, recipe: digits}\n"
        "  a: {name: report, run: '${stages.trai}'}\n"
        "  b: {name: report, run: '${stages.b}'}\n",
    )
    assert "pipe.yaml:4: stages.a.run: there is no stage `trai`\n  fix: did you mean `train`?" in text
    assert "pipe.yaml:5: stages.b.run: the stage `b` refers to itself" in text


def test_a_cycle(bench):
    text = refused(
        bench,
        "stages:\n"
        "  a: {name: report, run: '${stages.b}'}\n"
        "  b: {name: combine, runs: ['${stages.c}']}\n"
        "  c: {name: train, recipe: digits, needs: a}\n",
    )
    assert (text.startswith("pipe.yaml:") and "a -> b -> c -> a" in text) or "b -> c -> a -> b" in text


def test_an_output_that_is_no_run(bench):
    text = refused(
        bench,
        "stages:\n"
        "  cells: {name: convert, source: pipe.yaml, to: coco}\n"
        "  fit: {name: train, recipe: digits}\n"
        "  page: {name: report, run: '${stages.cells}'}\n",
    )
    assert "pipe.yaml:5: stages.page.run: the output of `cells` is no run" in text
    assert "stages that make one: fit" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stags: {}\n", "unknown key `stags`"),
        ("stages: {}\n", "a pipeline needs stages"),
        ("stages: [a]\n", "a pipeline needs stages"),
        ("stages: {a b: {name: report, run: r}}\n", "'a b' is no name of a stage"),
        ("stages: {a: {name: report, run: '${NO_SUCH_VARIABLE}'}}\n", "NO_SUCH_VARIABLE is not set"),
        ("stages: {a: 3}\n", "stages.a: expected a stage"),
        ("stages: {a: {run: r}}\n", "the stage has no `name`"),
        (
            "stages: {a: {name: command, argv: [x], outputs: ['../x']}}\n",
            "'../x' is no place below the folder",
        ),
        ("stages: {a: {name: tune, recipe: digits, jobs: 0}}\n", "expected a whole number >= 1, got 0"),
    ],
)
def test_small_faults(bench, text, said):
    assert said in refused(bench, text)


def test_a_file_that_is_not_there_names_its_neighbour(bench):
    bench.write("stages: {}\n")
    with pytest.raises(UserError, match=r"cannot be read(.|\n)*did you mean pipe\.yaml"):
        read_pipeline("pip.yaml")


def test_a_file_without_a_name(bench):
    bench.file.write_text("stages: {a: {name: report, run: r}}\n")
    with pytest.raises(UserError, match="`name` is missing"):
        read_pipeline("pipe.yaml")


def test_a_stage_of_the_user_is_checked_by_its_signature(bench):
    (bench.folder / "own_definition.py").write_text(
        "def count(stage, *, table: str, limit: int = 3) -> None:\n    '''Counts.'''\n"
    )
    text = refused(bench, "stages: {a: {name: 'own_definition:count', table: t, limit: many}}\n")
    assert "stages.a.limit: expected a whole number, got the text `many`" in text
