"""`${stages.NAME}` in values."""

from __future__ import annotations

from trainwright.workflows.pipeline.references import misspelt_in, named_in, references, replaced


def test_names_within_a_text():
    assert named_in("${stages.a}/x-${stages.b-2}-${stages.a}") == ["a", "b-2"]
    assert named_in("$${HOME} ${HOME} {output}") == []


def test_what_is_almost_one():
    assert misspelt_in("x ${stage.a} y") == "${stage.a}"
    assert misspelt_in("${stages.a.b}") == "${stages.a.b}"
    assert misspelt_in("${stages.}") == "${stages.}"
    assert misspelt_in("${stages.a}/${DATA}") is None
    assert misspelt_in("${STAGES}") is None


def test_replaced_reaches_every_text_and_nothing_else():
    value = {"a": ["${stages.x}/1", 2, None], "b": {"c": "${stages.y}"}, "d": True}
    assert replaced(value, str.upper) == {"a": ["X/1", 2, None], "b": {"c": "Y"}, "d": True}


def test_references_with_their_paths():
    value = {"runs": ["${stages.x}", "r"], "overrides": {"data.source.root": "${stages.y}/d"}}
    assert list(references(value)) == [(("runs", 0), "x"), (("overrides", "data.source.root"), "y")]
